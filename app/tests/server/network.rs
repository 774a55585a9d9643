//! A network that cuts, delays and swallows: a proxy between client and server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::service::{Service, client, outputs, small};

/// What the network does to a connection: bytes after which it is cut (of the answer), and a pause before each block. A cut
/// after nothing refuses the connection.
#[derive(Clone, Copy)]
struct Weather {
    cut_after: u64,
    pause: Duration,
    /// Whether the cut is silent: the connection stays and nothing comes any more.
    is_silent: bool,
}

/// Passes connections on to a server, each in the weather of its number.
struct Proxy {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
}

impl Proxy {
    fn new(server: SocketAddr, weather: impl Fn(u64) -> Weather + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        in_thread(move || {
            for client in listener.incoming().flatten() {
                let weather = weather(count.fetch_add(1, Ordering::Relaxed));
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                in_thread(move || pass(from, to, Weather { cut_after: u64::MAX, ..weather }));
                in_thread(move || pass(server, client, weather));
            }
        });
        Self { address, connections }
    }

    fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

fn in_thread(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().name("proxy".into()).spawn(work).unwrap();
}

fn pass(mut from: TcpStream, mut to: TcpStream, weather: Weather) {
    let mut left = weather.cut_after;
    let mut block = [0; 700];
    while left > 0 {
        let most = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Ok(read) = from.read(&mut block[..most]) else { break };
        if read == 0 || to.write_all(&block[..read]).is_err() {
            break;
        }
        left -= read as u64;
        std::thread::sleep(weather.pause);
    }
    if weather.is_silent && left == 0 {
        // As a router that forgot the connection: what comes is thrown away, and nobody is told.
        while from.read(&mut block).is_ok_and(|read| read > 0) {}
        std::thread::sleep(Duration::from_secs(300));
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// Numbers that look random and are the same every time.
fn mixed(number: u64) -> u64 {
    let mut value = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ (value >> 27)
}

/// Predicts a series here and through the proxy: the outputs are the same, and there was one job.
fn predict_through(weather: impl Fn(u64) -> Weather + Send + Sync + 'static) -> u64 {
    let service = Service::start("[workers]\nslots = 2\nligands_per_piece = 2\n");
    let proxy = Proxy::new(service.address, weather);
    let folder = tempfile::tempdir().unwrap();
    // The first word through such a network may fail; its user types it again.
    service.add_to(folder.path());
    let list = folder.path().join("kfold-studio/servers.json");
    let text = std::fs::read_to_string(&list).unwrap();
    let through = text.replace(&service.address.to_string(), &proxy.address.to_string());
    assert_ne!(text, through);
    std::fs::write(&list, through).unwrap();

    std::fs::copy(small("tripeptide.pdb"), folder.path().join("tripeptide.pdb")).unwrap();
    std::fs::write(folder.path().join("series.smi"), "c1ccccc1 a\nCCO b\nCCN c\n").unwrap();
    let query = "name: weather\nstructure: tripeptide.pdb\nsequences: []\nseries: series.smi\n\
                 pocket: {center: [4, 20, 0], size: [15, 15, 15]}\nengine: {name: docking, docking: {exhaustiveness: 2}}\n";
    std::fs::write(folder.path().join("query.yaml"), query).unwrap();
    let predict = |output: &str, more: &[&str]| {
        let target = folder.path().join(output);
        let mut command = client(folder.path(), &["predict", "-o"]);
        command.arg(&target).args(more).arg(folder.path().join("query.yaml"));
        (command.output().unwrap(), target)
    };
    let here = predict("here", &[]);
    assert!(here.0.status.success());
    // What asks before the job begins does so once; the same command again goes on.
    let mut tries = 0;
    let there = loop {
        let there = predict("there", &["--server", "lab"]);
        tries += 1;
        if there.0.status.success() || tries == 30 {
            break there;
        }
    };
    let said = String::from_utf8_lossy(&there.0.stderr).into_owned();
    assert!(there.0.status.success(), "{said}");
    let (here, there) = (outputs(&here.1), outputs(&there.1));
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    assert!(here.iter().all(|(name, content)| *content == there[name]), "outputs differ");
    let (_, list) = service.ask("GET", "/v1/jobs");
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1, "sent once: {list}");
    let staging = std::fs::read_dir(service.data().join("staging")).unwrap().count();
    assert_eq!(staging, 0, "what was cut off is left");
    eprintln!("{} connections, {tries} commands", proxy.connections());
    proxy.connections()
}

#[test]
fn a_network_that_cuts_and_delays_costs_time_alone() {
    let connections = predict_through(|number| {
        let random = mixed(number);
        // One in six is refused, two are cut after some hundred bytes, the others are slow but whole.
        let cut_after = match random % 6 {
            0 => 0,
            1 | 2 => 100 + random / 6 % 3_000,
            _ => u64::MAX,
        };
        Weather { cut_after, pause: Duration::from_millis(random / 7 % 8), is_silent: false }
    });
    assert!(connections > 5, "only {connections} connections: nothing was cut");
}

#[test]
#[ignore = "minutes: a client takes a silent connection for dead after 50 s"]
fn a_network_that_swallows_costs_time_alone() {
    predict_through(|number| {
        let cut_after = if number % 3 == 1 { 400 + mixed(number) % 2_000 } else { u64::MAX };
        Weather { cut_after, pause: Duration::from_millis(2), is_silent: true }
    });
}
