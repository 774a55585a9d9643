//! Downloads from servers that cut, corrupt, delay, lie and redirect.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

/// What a server was asked.
#[derive(Clone, Debug, Default)]
struct Asked {
    path: String,
    from: Option<usize>,
    if_range: Option<String>,
}

/// A server on this machine that answers each request, one a connection, with what `answer` writes.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(mut answer: impl FnMut(usize, &Asked, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let serve = move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                log.lock().unwrap().push(request.clone());
                answer(number, &request, &mut stream);
                // Goodbye in an orderly way: a reset could take the last bytes along.
                let _ = stream.shutdown(std::net::Shutdown::Write);
            }
        };
        std::thread::Builder::new().name("server".to_owned()).spawn(serve).unwrap();
        Self { address, asked }
    }

    fn url(&self) -> String {
        format!("{}/weights/file.pth", self.address)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap().unwrap();
    let mut asked = Asked { path: first.split(' ').nth(1).unwrap().to_owned(), ..Asked::default() };
    for line in lines {
        let line = line.unwrap();
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                asked.from = Some(value.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
            }
            "if-range" => asked.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    asked
}

fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    // The client may be gone already.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Answers as a good server does, but sends `most` bytes at most.
fn serve(file: &[u8], etag: &str, asked: &Asked, stream: &mut TcpStream, most: usize) {
    let matches = asked.if_range.as_deref().is_none_or(|validator| validator == etag);
    let from = asked.from.filter(|_| matches).unwrap_or(0);
    let part = &file[from.min(file.len())..];
    let mut headers = format!("ETag: {etag}\r\nContent-Length: {}\r\n", part.len());
    let status = if from > 0 {
        headers += &format!("Content-Range: bytes {from}-{}/{}\r\n", file.len() - 1, file.len());
        "206 Partial Content"
    } else {
        "200 OK"
    };
    send(stream, status, &headers, &part[..part.len().min(most)]);
}

/// Bytes that differ from each other at every place worth looking at.
fn content(length: usize, seed: u32) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

const QUICK: Options =
    Options { offline: false, stall: Duration::from_millis(400), tries: 3, pause: Duration::from_millis(1) };

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("file.pth")
    }

    fn get(&self, sources: &[String], sha256: Option<&str>) -> Result<Downloaded> {
        let wanted = Wanted { name: "file", sources, target: &self.target(), bytes: None, sha256, limit: 1 << 30 };
        download(&wanted, QUICK, &mut |_| true)
    }

    /// Downloads and stops at the first bytes.
    fn begin(&self, source: &str) {
        let wanted = Wanted {
            name: "file",
            sources: &[source.to_owned()],
            target: &self.target(),
            bytes: None,
            sha256: None,
            limit: 1 << 30,
        };
        let stopped = download(&wanted, QUICK, &mut |progress| !matches!(progress, Progress::Bytes { done: 1.., .. }));
        assert!(matches!(stopped, Err(DownloadError::Cancelled)), "{stopped:?}");
        assert!(!self.target().exists());
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn assert_holds(&self, file: &[u8]) {
        assert!(std::fs::read(self.target()).unwrap() == file, "another file arrived");
        assert_eq!(self.names(), ["file.pth"], "nothing is left beside it");
    }

    fn assert_nothing_usable(&self) {
        assert!(!self.target().exists());
    }
}

#[test]
fn a_file_arrives_whole() {
    let file = content(3_000_000, 1);
    let served = file.clone();
    let server = Server::new(move |_, asked, stream| serve(&served, "\"a\"", asked, stream, usize::MAX));
    let place = Place::new();
    let sum = sha256(&file);
    let downloaded = place.get(&[server.url()], Some(&sum.to_uppercase())).unwrap();
    assert_eq!(downloaded, Downloaded { bytes: 3_000_000, sha256: sum, source: server.url(), is_checked: true });
    place.assert_holds(&file);
}

#[test]
fn cuts_are_gone_on_from() {
    let file = content(5_000_000, 1);
    let served = file.clone();
    let server = Server::new(move |_, asked, stream| serve(&served, "\"a\"", asked, stream, 1_200_000));
    let place = Place::new();
    let downloaded = place.get(&[server.url()], None).unwrap();
    assert_eq!((downloaded.bytes, downloaded.is_checked), (5_000_000, false));
    place.assert_holds(&file);
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[1].if_range.as_deref(), Some("\"a\""));
    assert!(asked.windows(2).all(|pair| pair[0].from < pair[1].from), "{asked:?}");
}

#[test]
fn a_stopped_download_goes_on_and_a_changed_file_starts_over() {
    let (old, new) = (content(2_000_000, 1), content(2_000_000, 2));
    let files = [old, new.clone()];
    let server = Server::new(move |number, asked, stream| {
        let (file, etag) = if number == 0 { (&files[0], "\"old\"") } else { (&files[1], "\"new\"") };
        serve(file, etag, asked, stream, usize::MAX);
    });
    let place = Place::new();
    place.begin(&server.url());
    assert!(unfinished(&place.target()).is_some_and(|(bytes, total)| bytes > 0 && total == Some(2_000_000)));
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&new);
    assert_eq!(server.asked()[1].if_range.as_deref(), Some("\"old\""));
}

#[test]
fn a_server_that_goes_on_with_another_file_is_not_believed() {
    let (old, new) = (content(2_000_000, 1), content(2_000_000, 2));
    let files = [old, new.clone()];
    // It ignores If-Range: the rest of the new file, asked for to complete the old one.
    let server = Server::new(move |number, asked, stream| {
        let asked = Asked { if_range: None, ..asked.clone() };
        let (file, etag) = if number == 0 { (&files[0], "\"old\"") } else { (&files[1], "\"new\"") };
        serve(file, etag, &asked, stream, usize::MAX);
    });
    let place = Place::new();
    place.begin(&server.url());
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&new);
}

#[test]
fn a_file_that_changes_its_size_starts_over() {
    let new = content(700_000, 2);
    let files = [content(2_000_000, 1), new.clone()];
    let server = Server::new(move |number, asked, stream| {
        let file = &files[number.min(1)];
        if asked.from.is_some_and(|from| from >= file.len()) {
            return send(
                stream,
                "416 Range Not Satisfiable",
                &format!("Content-Range: bytes */{}\r\n", file.len()),
                b"",
            );
        }
        // No validator at all the first time, and the range taken as it is.
        serve(
            file,
            "\"same\"",
            &Asked { if_range: None, ..asked.clone() },
            stream,
            if number == 0 { 1_500_000 } else { usize::MAX },
        );
    });
    let place = Place::new();
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&new);
}

#[test]
fn a_half_without_validators_is_not_continued() {
    let file = content(2_000_000, 1);
    let served = file.clone();
    let server = Server::new(move |_, asked, stream| {
        let from = asked.from.unwrap_or(0);
        assert_eq!(from, 0, "nothing tells that it is the same file");
        send(stream, "200 OK", &format!("Content-Length: {}\r\n", served.len()), &served);
    });
    let place = Place::new();
    place.begin(&server.url());
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&file);
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let file = content(3_000_000, 1);
    let served = file.clone();
    let server = Server::new(move |number, _, stream| {
        let asked = Asked::default();
        serve(&served, "\"a\"", &asked, stream, if number == 0 { 1_500_000 } else { usize::MAX });
    });
    let place = Place::new();
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&file);
}

#[test]
fn a_part_that_is_not_the_one_asked_for_is_not_appended() {
    let file = content(3_000_000, 1);
    let served = file.clone();
    let server = Server::new(move |number, asked, stream| {
        // Shifted by one byte, and then without the lie.
        let shifted = Asked { from: asked.from.map(|from| from - 1), ..asked.clone() };
        serve(
            &served,
            "\"a\"",
            if number == 1 { &shifted } else { asked },
            stream,
            if number == 0 { 1_500_000 } else { usize::MAX },
        );
    });
    let place = Place::new();
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&file);
}

#[test]
fn corruption_is_found_and_the_next_mirror_asked() {
    let file = content(1_500_000, 1);
    let mut damaged = file.clone();
    damaged[777_777] ^= 4;
    let bad = Server::new(move |_, asked, stream| serve(&damaged, "\"a\"", asked, stream, usize::MAX));
    let served = file.clone();
    let good = Server::new(move |_, asked, stream| serve(&served, "\"b\"", asked, stream, usize::MAX));
    let place = Place::new();
    let sum = sha256(&file);
    let downloaded = place.get(&[bad.url(), good.url()], Some(&sum)).unwrap();
    assert_eq!(downloaded.source, good.url());
    place.assert_holds(&file);
    assert_eq!(bad.asked().len(), 2, "once more, then no longer");

    let place = Place::new();
    let error = place.get(&[bad.url()], Some(&sum)).unwrap_err().to_string();
    assert!(error.contains(&sum), "{error}");
    place.assert_nothing_usable();
}

#[test]
fn what_a_hub_says_of_its_file_is_held_against_it() {
    let file = content(400_000, 1);
    let sum = sha256(&file);
    for (claimed, fits) in [(sum.clone(), true), (sha256(b"another"), false)] {
        let served = file.clone();
        let server = Server::new(move |_, asked, stream| {
            if asked.path.starts_with("/cdn") {
                return serve(&served, "\"a\"", asked, stream, usize::MAX);
            }
            let headers =
                format!("Location: /cdn/x?signature=1\r\nX-Linked-ETag: \"{claimed}\"\r\nContent-Length: 0\r\n");
            send(stream, "302 Found", &headers, b"");
        });
        let place = Place::new();
        let result = place.get(&[server.url()], None);
        assert_eq!(result.as_ref().is_ok_and(|downloaded| downloaded.is_checked), fits, "{result:?}");
        assert_eq!(place.target().exists(), fits);
    }
}

#[test]
fn a_half_is_completed_by_a_mirror_when_the_checksum_is_known() {
    let file = content(3_000_000, 1);
    let served = [file.clone(), file.clone()];
    let [first_file, second_file] = served;
    let first = Server::new(move |number, asked, stream| {
        if number == 0 {
            serve(&first_file, "\"a\"", asked, stream, 2_000_000);
        } else {
            send(stream, "404 Not Found", "Content-Length: 0\r\n", b"");
        }
    });
    let second = Server::new(move |_, asked, stream| serve(&second_file, "\"b\"", asked, stream, usize::MAX));
    let place = Place::new();
    place.get(&[first.url(), second.url()], Some(&sha256(&file))).unwrap();
    place.assert_holds(&file);
    let asked = second.asked();
    assert_eq!((asked[0].from, asked[0].if_range.as_deref()), (Some(2_000_000), None));
}

#[test]
fn silence_and_dribble_end() {
    let file = content(3_000_000, 1);
    let silent = Server::new(move |_, _, stream| {
        send(stream, "200 OK", "ETag: \"a\"\r\nContent-Length: 3000000\r\n", b"x");
        std::thread::sleep(Duration::from_secs(3));
    });
    let dribbling = Server::new(move |_, _, stream| {
        send(stream, "200 OK", "ETag: \"a\"\r\nContent-Length: 3000000\r\n", b"");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let served = file.clone();
    let good = Server::new(move |_, asked, stream| serve(&served, "\"b\"", asked, stream, usize::MAX));
    let place = Place::new();
    let wanted = Wanted {
        name: "file",
        sources: &[silent.url(), dribbling.url(), good.url()],
        target: &place.target(),
        bytes: None,
        sha256: None,
        limit: 1 << 30,
    };
    let mut troubles = Vec::new();
    let options = Options { tries: 1, ..QUICK };
    let downloaded = download(&wanted, options, &mut |progress| {
        if let Progress::Trouble(trouble) = progress {
            troubles.push(trouble.to_owned());
        }
        true
    })
    .unwrap();
    assert_eq!(downloaded.source, good.url());
    place.assert_holds(&file);
}

#[test]
fn lengths_that_are_lies_give_no_file() {
    let wanted_sum = sha256(&content(1000, 1));
    let body = content(1000, 1);
    // Too long to be believed, shorter than said, longer than known, without any length and without an end.
    type Lie = Box<dyn FnMut(usize, &Asked, &mut TcpStream) + Send>;
    let sent = [body.clone(), body.clone()];
    let [short, page] = sent;
    let lies: Vec<Lie> = vec![
        Box::new(|_, _, stream| send(stream, "200 OK", "Content-Length: 9000000000000000000\r\n", b"x")),
        Box::new(move |_, _, stream| send(stream, "200 OK", "Content-Length: 2000\r\n", &short)),
        Box::new(move |_, _, stream| send(stream, "200 OK", "Content-Length: 999\r\n", &page[..999])),
        Box::new(|_, _, stream| {
            send(stream, "200 OK", "", b"");
            let block = [7; 4096];
            while stream.write_all(&block).is_ok() {}
        }),
        Box::new(|_, _, stream| {
            send(stream, "206 Partial Content", "Content-Range: bytes 9-5/x\r\nContent-Length: 1\r\n", b"x");
        }),
        Box::new(|_, _, stream| {
            send(stream, "200 OK", "Content-Encoding: gzip\r\nContent-Length: 4\r\n", b"\x1f\x8b\x08\0");
        }),
        Box::new(|_, _, stream| drop(stream.write_all(b"SSH-2.0-OpenSSH\r\n"))),
        Box::new(|_, _, stream| send(stream, "200 OK", &format!("X: {}\r\n", "y".repeat(1 << 20)), b"")),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let server = Server::new(lie);
        let place = Place::new();
        let wanted = Wanted {
            name: "file",
            sources: &[server.url()],
            target: &place.target(),
            bytes: Some(1000),
            sha256: Some(&wanted_sum),
            limit: 1 << 20,
        };
        let result = download(&wanted, QUICK, &mut |_| true);
        assert!(matches!(result, Err(DownloadError::Failed { .. })), "lie {number}: {result:?}");
        place.assert_nothing_usable();
        assert!(unfinished(&place.target()).is_none_or(|(bytes, _)| bytes <= 1000), "lie {number}");
    }
}

#[test]
fn a_disk_without_room_is_told_before_anything_is_written() {
    let server = Server::new(|_, _, stream| send(stream, "200 OK", "Content-Length: 4000000000000000000\r\n", b"x"));
    let place = Place::new();
    let wanted = Wanted {
        name: "file",
        sources: &[server.url()],
        target: &place.target(),
        bytes: None,
        sha256: None,
        limit: u64::MAX,
    };
    let result = download(&wanted, QUICK, &mut |_| true);
    assert!(matches!(result, Err(DownloadError::NoSpace { needed: 4_000_000_000_000_000_000, .. })), "{result:?}");
    place.assert_nothing_usable();
}

#[test]
fn redirects_are_followed_but_not_round_in_circles() {
    let file = content(1000, 1);
    let served = file.clone();
    let server = Server::new(move |_, asked, stream| match asked.path.as_str() {
        "/weights/file.pth" => send(stream, "302 Found", "Location: other/place\r\nContent-Length: 0\r\n", b""),
        "/weights/other/place" => {
            send(stream, "307 Temporary Redirect", "Location: /end\r\nContent-Length: 0\r\n", b"");
        }
        "/end" => serve(&served, "\"a\"", asked, stream, usize::MAX),
        "/round" => send(stream, "301 Moved Permanently", "Location: /round\r\nContent-Length: 0\r\n", b""),
        _ => send(stream, "302 Found", "Location: file:///etc/passwd\r\nContent-Length: 0\r\n", b""),
    });
    let place = Place::new();
    place.get(&[server.url()], None).unwrap();
    place.assert_holds(&file);
    for path in ["round", "elsewhere"] {
        let place = Place::new();
        let error = place.get(&[format!("{}/{path}", server.address)], None).unwrap_err().to_string();
        assert!(error.contains("redirects") || error.contains("no address"), "{error}");
        place.assert_nothing_usable();
    }
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
    let file = content(1000, 1);
    let served = file.clone();
    let busy = Server::new(move |number, asked, stream| match number {
        0 => send(stream, "503 Service Unavailable", "Content-Length: 0\r\n", b""),
        1 => {}
        _ => serve(&served, "\"a\"", asked, stream, usize::MAX),
    });
    let place = Place::new();
    place.get(&[busy.url()], None).unwrap();
    place.assert_holds(&file);

    let missing = Server::new(|_, _, stream| send(stream, "404 Not Found", "Content-Length: 0\r\n", b""));
    let closed = Server::new(|_, _, stream| send(stream, "403 Forbidden", "Content-Length: 0\r\n", b""));
    let place = Place::new();
    let error = place.get(&[missing.url(), closed.url()], None).unwrap_err().to_string();
    assert!(error.contains("404") && error.contains("403") && error.contains("models import"), "{error}");
    assert_eq!((missing.asked().len(), closed.asked().len()), (1, 1));
    assert_eq!(place.names(), [""; 0], "where nothing came nothing stays");
}

#[test]
fn a_complete_part_is_confirmed_by_the_server() {
    // As a kill between the last byte and the rename leaves it.
    let (file, other) = (content(500_000, 1), content(500_000, 2));
    for (begun, expected) in [(&file, &file), (&other, &file)] {
        let served = file.clone();
        let server = Server::new(move |_, asked, stream| serve(&served, "\"a\"", asked, stream, usize::MAX));
        let place = Place::new();
        let etag = if begun == &file { "\"a\"" } else { "\"before\"" };
        let identity =
            Identity { source: server.url(), etag: Some(etag.to_owned()), total: Some(500_000), ..Identity::default() };
        std::fs::write(place.folder.path().join("file.pth.part"), begun).unwrap();
        std::fs::write(place.folder.path().join("file.pth.part.json"), serde_json::to_vec(&identity).unwrap()).unwrap();
        place.get(&[server.url()], None).unwrap();
        place.assert_holds(expected);
    }
}

#[test]
fn damaged_records_cost_a_fresh_start_and_no_more() {
    let file = content(500_000, 1);
    for record in
        ["", "{", "[]", "{\"total\": -1}", "{\"source\": \"x\", \"total\": 3}", "{\"total\": 0, \"source\": \"y\"}"]
    {
        let served = file.clone();
        let server = Server::new(move |_, asked, stream| serve(&served, "\"a\"", asked, stream, usize::MAX));
        let place = Place::new();
        std::fs::write(place.folder.path().join("file.pth.part"), content(600_000, 9)).unwrap();
        std::fs::write(place.folder.path().join("file.pth.part.json"), record).unwrap();
        place.get(&[server.url()], None).unwrap();
        place.assert_holds(&file);
    }
}

#[test]
fn offline_opens_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let place = Place::new();
    let wanted = Wanted {
        name: "file",
        sources: &[format!("http://{}/file.pth", listener.local_addr().unwrap())],
        target: &place.target(),
        bytes: None,
        sha256: None,
        limit: 1 << 20,
    };
    let result = download(&wanted, Options { offline: true, ..QUICK }, &mut |_| true);
    assert!(matches!(result, Err(DownloadError::Offline { .. })), "{result:?}");
    assert!(matches!(listener.accept(), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock));
    assert_eq!(place.names(), [""; 0], "nothing is written either");
}

#[test]
fn two_downloads_of_one_file_do_not_mix() {
    let server = Server::new(|_, asked, stream| serve(&content(1000, 1), "\"a\"", asked, stream, usize::MAX));
    let place = Place::new();
    let held = Part::open(&place.target()).unwrap();
    assert!(matches!(place.get(&[server.url()], None), Err(DownloadError::Busy { .. })));
    drop(held);
    place.get(&[server.url()], None).unwrap();
}
