//! What somebody may try.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::service::{LIMITS, Service, client, exchange, query, small};

#[test]
fn only_those_who_may_see_and_do() {
    let service = Service::start(LIMITS);
    let id = service.accepted(&query("secret", 1));
    service.ended(&id);
    let (bob, reader) = (service.token_of("bob", "read,submit"), service.token_of("ann", "read"));
    let admin = service.token_of("eve", "admin");
    let job = format!("/v1/jobs/{id}");
    let paths = [
        ("GET", job.clone()),
        ("GET", format!("{job}/events")),
        ("GET", format!("{job}/outputs")),
        ("GET", format!("{job}/outputs/query.json")),
        ("GET", format!("{job}/archive")),
        ("POST", format!("{job}/cancel")),
        ("DELETE", job.clone()),
    ];
    for (method, path) in &paths {
        for token in
            ["", "kfold_0_0", "kfold_000000000000_0000000000000000000000000000000000000000000000000000000000000000"]
        {
            assert_eq!(service.ask_as(token, method, path).0, 401, "{method} {path}");
        }
        // The same answer as for a job that is not there.
        let nothing = service.ask_as(&bob, method, &path.replace(&id, "00000000000000000000000000000000"));
        assert_eq!(service.ask_as(&bob, method, path), nothing, "{method} {path}");
        assert_eq!(nothing.0, 404);
    }
    let (_, list) = service.ask_as(&bob, "GET", "/v1/jobs");
    assert!(!String::from_utf8(list).unwrap().contains(&id));
    // Scopes.
    assert_eq!(service.ask_as(&reader, "GET", &job).0, 200);
    for (method, path) in &paths[5..] {
        assert_eq!(service.ask_as(&reader, method, path).0, 403);
    }
    assert_eq!(service.ask_as(&service.token, "GET", "/metrics").0, 403);
    assert_eq!(service.ask_as(&admin, "GET", "/metrics").0, 200);
    assert_eq!(service.ask_as(&admin, "GET", &job).0, 200);
    // Revoked is revoked, at once.
    let identity = reader.split('_').nth(1).unwrap();
    let revoke = Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
        .args(["serve", "token", "revoke", identity, "--data"])
        .arg(service.data())
        .output()
        .unwrap();
    assert!(revoke.status.success());
    assert_eq!(service.ask_as(&reader, "GET", &job).0, 401);
    // Neither secrets nor sequences nor names in what is written down.
    let log = std::fs::read_to_string(&service.log).unwrap();
    let index = std::fs::read(service.data().join("index.sqlite")).unwrap();
    let secret = service.token.rsplit('_').next().unwrap();
    for (place, text) in [("log", log.as_bytes()), ("index", &index)] {
        assert!(!text.windows(secret.len()).any(|window| window == secret.as_bytes()), "{place}");
    }
    assert!(!log.contains("benzene") && !log.contains("\"secret\""), "{log}");
}

#[test]
fn what_is_hostile_is_refused_and_nothing_is_touched() {
    let service = Service::start(LIMITS);
    let id = service.accepted(&query("fine", 1));
    service.ended(&id);
    // Paths of outputs.
    for path in [
        "../../../server.toml",
        "..%2f..%2f..%2fserver.toml",
        "%2e%2e/%2e%2e/index.sqlite",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "seed-1/../../../index.sqlite",
        "worker.lock",
        "worker.log",
        "seed-1",
        "query.json%00",
        ".",
    ] {
        let (status, body) = service.ask_as(&service.token, "GET", &format!("/v1/jobs/{id}/outputs/{path}"));
        assert!(matches!(status, 400 | 404), "{path}: {status} {}", String::from_utf8_lossy(&body));
    }
    // Paths within queries.
    let receptor = std::fs::read(small("tripeptide.pdb")).unwrap();
    let ligand = std::fs::read(small("benzene.sdf")).unwrap();
    for path in ["/etc/passwd", "../../index.sqlite", "/proc/self/environ", "tripeptide.pdb\u{0}", "inputs/x.pdb"] {
        let text = query("escape", 1)
            .replace("tripeptide.pdb", &path.escape_default().to_string().replace("\\u{0}", "\\u0000"));
        let (status, answer) = service.submit(None, &text);
        assert_eq!(status, 422, "{path}: {answer}");
    }
    // A series that is a file on the server.
    let text = query("series", 1).replace("\"structure\"", "\"series\": \"/etc/passwd\", \"structure\"");
    let (status, answer) = service.submit(None, &text);
    assert!(status == 422 && answer["message"].as_str().unwrap().contains("list"), "{answer}");
    // A file whose name is a path lies in its job all the same.
    let text = query("inside", 1).replace("tripeptide.pdb", "../../../../tmp/x/tripeptide.pdb");
    let (status, job) = service.submit_form(
        None,
        &[
            ("query", None, text.as_bytes()),
            ("file", Some("../../../../tmp/x/tripeptide.pdb"), &receptor),
            ("file", Some("benzene.sdf"), &ligand),
        ],
    );
    assert_eq!(status, 201, "{job}");
    let inside = service.data().join("jobs").join(job["id"].as_str().unwrap()).join("inputs/tripeptide.pdb");
    assert!(inside.is_file());
    assert_eq!(service.ended(job["id"].as_str().unwrap())["state"], "finished");
    // A bomb: the receptor unpacks to gigabytes. The worker refuses it; the server lives.
    let bomb = {
        let zeros = vec![b' '; 1 << 20];
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..2_200 {
            encoder.write_all(&zeros).unwrap();
        }
        encoder.finish().unwrap()
    };
    // The same as Zstandard: frames of blocks that repeat one byte (RFC 8878, section 3.1.1.2).
    let zstandard = {
        let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
        (0..17_000).for_each(|_| bytes.extend([0x02, 0, 0x10, b' ']));
        bytes.extend([0x03, 0, 0x10, b' ']);
        bytes
    };
    for (file, bomb) in [("bomb.pdb.gz", bomb), ("bomb.pdb.zst", zstandard)] {
        let text = query("bomb", 1).replace("tripeptide.pdb", file);
        let (status, job) = service.submit_form(
            None,
            &[("query", None, text.as_bytes()), ("file", Some(file), &bomb), ("file", Some("benzene.sdf"), &ligand)],
        );
        assert_eq!(status, 201, "{job}");
        let job = service.ended(job["id"].as_str().unwrap());
        let reason = job["reason"].as_str().unwrap_or_default();
        assert!(job["state"] == "failed" && reason.contains("holds more than"), "{job}");
    }
    // What is malformed.
    for (text, word) in [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "mapping"),
        ("{\"name\": \"a\", \"name\": \"b\"}", "twice"),
        (&"[".repeat(100_000), "JSON"),
        ("{\"name\": \"../x\", \"sequences\": []}", "name"),
        ("{\"name\": \"x\", \"sequences\": [], \"engine\": {\"name\": \"sh\"}}", "engine"),
    ] {
        let (status, answer) = service.submit_form(None, &[("query", None, text.as_bytes())]);
        assert!(status == 422 && answer["message"].as_str().unwrap().contains(word), "{status} {answer}");
    }
    let settings = "{\"engine\": \"docking\", \"seeds\": [1], \"seed\": 1, \"unknown\": 2}";
    let fine = query("fine", 1);
    assert_eq!(
        service.submit_form(None, &[("query", None, fine.as_bytes()), ("settings", None, settings.as_bytes())]).0,
        422
    );
    assert_eq!(service.submit_form(None, &[("query", None, fine.as_bytes()), ("query", None, fine.as_bytes())]).0, 422);
    assert_eq!(service.submit_form(None, &[("query", None, b"\xff\xfe")]).0, 422);
    assert_eq!(service.submit_form(None, &[("exec", None, b"x")]).0, 422);
    assert_eq!(service.submit_form(Some(&"k".repeat(129)), &[("query", None, fine.as_bytes())]).0, 422);
    // Nothing of it is left.
    assert_eq!(std::fs::read_dir(service.data().join("staging")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(service.data().join("jobs")).unwrap().count(), 4);
}

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// A valid text with something of it broken, as a fuzzer breaks it.
fn mangled(text: &str, random: &mut Random) -> Vec<u8> {
    const TOKENS: [&str; 20] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "-1",
        "1e999",
        "99999999999999999999",
        "\"\"",
        "\"../../x\"",
        "\"/etc/passwd\"",
        "\\u0000",
        "\\ud800",
        "NaN",
        "\"series\":",
        "\"name\":\"\u{202e}x\",",
        "[[[[[[[[[[[[[[[[",
    ];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + 1 + random.below(20)).min(bytes.len()))),
            2 => bytes[at] = random.below(256) as u8,
            3 => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len())].bytes())),
            _ => {
                let end = (at + random.below(60)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn malformed_queries_are_refused_or_end_as_jobs() {
    let service = Service::start("[limits]\nrequests_per_minute = 100000\n[workers]\nattempts = 1\n");
    let (receptor, ligand) =
        (std::fs::read(small("tripeptide.pdb")).unwrap(), std::fs::read(small("benzene.sdf")).unwrap());
    let settings = "{\"engine\": \"docking\", \"seeds\": [1], \"docking\": {\"exhaustiveness\": 1}}";
    let mut random = Random(1);
    let mut accepted = Vec::new();
    for number in 0..400 {
        let text = query("fuzzed", 1);
        let (text, settings) = match number % 4 {
            0 => (text.into_bytes(), mangled(settings, &mut random)),
            _ => (mangled(&text, &mut random), settings.into()),
        };
        let (status, answer) = service.submit_form(
            None,
            &[
                ("query", None, &text),
                ("settings", None, &settings),
                ("file", Some("tripeptide.pdb"), &receptor),
                ("file", Some("benzene.sdf"), &ligand),
            ],
        );
        assert!(matches!(status, 201 | 422), "{status} {answer}: {}", String::from_utf8_lossy(&text));
        if status == 201 {
            let id = answer["id"].as_str().unwrap().to_owned();
            // Only that each ends is of interest, not what a large effort would find.
            service.ask("POST", &format!("/v1/jobs/{id}/cancel"));
            accepted.push(id);
        }
    }
    for id in &accepted {
        service.ended(id);
    }
    eprintln!("{} of 400 were queries all the same", accepted.len());
    assert_eq!(service.ask("GET", "/health").0, 200);
    assert_eq!(std::fs::read_dir(service.data().join("staging")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(service.data().join("jobs")).unwrap().count(), accepted.len());
    let mut beside: Vec<String> = std::fs::read_dir(service.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    beside.sort();
    assert_eq!(beside, ["data", "log", "server.toml"], "something was written outside");
    let log = std::fs::read_to_string(&service.log).unwrap();
    assert!(log.matches("\"refused\"").count() >= 400 - accepted.len() && !log.contains("panicked"));
}

#[test]
fn what_is_too_much_is_cut_off() {
    let service = Service::start(LIMITS);
    let large = vec![b'x'; 4_000_000];
    let (status, _) = service.submit_form(None, &[("query", None, b"{}"), ("file", Some("a.pdb"), &large)]);
    assert!(matches!(status, 413 | 0), "{status}");
    let many: Vec<(&str, Option<&str>, &[u8])> =
        ["1", "2", "3", "4", "5", "6"].map(|name| ("file", Some(name), &b"x"[..])).to_vec();
    assert_eq!(service.submit_form(None, &many).0, 413);
    // A body that claims to be huge, and one without end.
    let head = |length: &str| {
        format!(
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{length}\r\n\
             Content-Type: multipart/form-data; boundary=b\r\n\r\n",
            service.token
        )
    };
    let mut endless = head("Transfer-Encoding: chunked").into_bytes();
    endless
        .extend(b"4d\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nxxxxxxxxxxx\r\n");
    for _ in 0..80 {
        endless.extend(b"10000\r\n");
        endless.extend(vec![b'x'; 65_536]);
        endless.extend(b"\r\n");
    }
    let (status, _) = exchange(service.address, &endless);
    assert!(matches!(status, 413 | 0), "{status}");
    // Headers: too long, too many.
    let long = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    assert!(matches!(exchange(service.address, long.as_bytes()).0, 431 | 400 | 0));
    let many = format!("GET /health HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(1_000));
    assert!(matches!(exchange(service.address, many.as_bytes()).0, 431 | 400 | 0));
    // What is no HTTP.
    assert!(matches!(
        exchange(service.address, &[0x16, 3, 1, 2, 0, 1, 0, 0xff, 0, 0, b'\r', b'\n', b'\r', b'\n']).0,
        400 | 0
    ));
    // Slow clients hold their own connection and nobody else's.
    let slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(service.address).unwrap();
            stream.write_all(b"GET /health HTTP/1.1\r\nHost:").unwrap();
            stream
        })
        .collect();
    let id = service.accepted(&query("beside", 1));
    assert_eq!(service.ended(&id)["state"], "finished");
    // And not for long.
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut rest = Vec::new();
        let closed = stream.read_to_end(&mut rest);
        let still_open = closed.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!still_open, "a slow client still holds its connection");
    }
    assert_eq!(service.ask("GET", "/health").0, 200);
    assert_eq!(std::fs::read_dir(service.data().join("staging")).unwrap().count(), 0);
}

#[test]
fn whoever_asks_too_often_waits() {
    let service =
        Service::start("[limits]\nrequests_per_minute = 20\nrefused_tokens_per_minute = 5\nqueued_jobs_per_user = 3\n");
    let statuses: Vec<u16> = (0..30).map(|_| service.ask("GET", "/v1/jobs").0).collect();
    assert!(statuses[0] == 200 && statuses[29] == 429, "{statuses:?}");
    let other = service.token_of("bob", "read");
    assert_eq!(service.ask_as(&other, "GET", "/v1/jobs").0, 200);
    let statuses: Vec<u16> = (0..8).map(|_| service.ask_as("guess", "GET", "/v1/jobs").0).collect();
    assert!(statuses[0] == 401 && statuses[7] == 429, "{statuses:?}");
    assert_eq!(service.ask("GET", "/health").0, 200);
}

#[test]
fn queues_and_quotas_end() {
    let service = Service::start("[limits]\nqueued_jobs_per_user = 2\n[workers]\nslots = 1\n");
    let statuses: Vec<u16> = (0..5).map(|_| service.submit(None, &query("many", 10_000)).0).collect();
    // One runs (perhaps not yet), two wait.
    assert!(statuses[..2] == [201, 201] && statuses[4] == 429, "{statuses:?}");
    let full = Service::start("[limits]\nfree_disk_bytes = 1000000000000000\n");
    assert_eq!(full.submit(None, &query("full", 1)).0, 507);
    let quota = Service::start("[limits]\ndisk_bytes_per_user = 1\n");
    let id = quota.accepted(&query("first", 1));
    assert_eq!(quota.ended(&id)["state"], "finished");
    assert_eq!(quota.submit(None, &query("second", 1)).0, 507);
}

#[test]
fn tls_by_a_given_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("skipped: no openssl here to make a certificate with");
        return;
    }
    let text = format!("[listen]\ncertificate = {certificate:?}\nkey = {key:?}\n");
    let service = Service::start(&text);
    let add = |more: &[&str]| {
        let url = format!("https://127.0.0.1:{}", service.address.port());
        let mut command = client(folder.path(), &["remote", "add", "lab", &url]);
        let mut child = command.args(more).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(service.token.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    // Nobody vouches for it, until the user does.
    assert!(!add(&[]).0);
    let (is_added, said) = add(&["--certificate", certificate.to_str().unwrap()]);
    assert!(is_added && said.contains("docking"), "{said}");
    let output = client(folder.path(), &["remote", "status", "lab"]).output().unwrap();
    assert!(output.status.success());
    // Plain HTTP is not spoken there.
    assert_eq!(service.ask("GET", "/health").0, 0);
}
