//! The HTTP client: one function for each thing that a server does.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::http::{Method, Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, SendBody};

use super::RemoteError;
use super::protocol::{Capabilities, JobList, MAX_ANSWER, Output, OutputList, Refusal, RemoteJob};
use super::servers::ServerEntry;
use crate::network;

const CONNECT: Duration = Duration::from_secs(10);
/// From the end of a request to the header of its answer.
const ANSWER: Duration = Duration::from_secs(60);
/// Bytes a second below which a download is given up and begun again from where it stopped.
const SLOWEST: u64 = 10_000;

type Result<T, E = RemoteError> = std::result::Result<T, E>;

/// A configured server that can be asked.
pub struct Client {
    name: String,
    url: String,
    authorization: String,
    agent: Agent,
}

/// A submission.
pub struct Submission {
    /// The query as JSON; its paths are the names of `files`.
    pub query: String,
    /// The settings as JSON.
    pub settings: String,
    /// Among the user's jobs the higher goes first, -10 to 10.
    pub priority: i32,
    /// Submitting again with the same key gives the same job.
    pub key: String,
    /// Names and places.
    pub files: Vec<(String, PathBuf)>,
}

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// `job` or `state`.
    pub kind: String,
    /// Where to go on.
    pub id: String,
    /// JSON.
    pub data: String,
}

impl Client {
    /// A client of a server; nothing is sent yet.
    ///
    /// # Errors
    /// When the server's certificate cannot be read.
    pub fn new(entry: &ServerEntry) -> Result<Self> {
        let mut tls = TlsConfig::builder();
        if let Some(path) = &entry.certificate {
            let pem = std::fs::read(path).map_err(RemoteError::file(path))?;
            let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                let text = format!("{}: there is no certificate in PEM form in it", path.display());
                return Err(RemoteError::Configuration(text));
            }
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
        }
        let configuration = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            // A token goes to the server that the user named and to no other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .user_agent(concat!("kfold-studio/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            name: entry.name.clone(),
            url: entry.url.trim_end_matches('/').to_owned(),
            authorization: format!("Bearer {}", entry.token),
            agent: configuration.new_agent(),
        })
    }

    /// What the server can do.
    ///
    /// # Errors
    /// When it cannot be reached, refuses or answers nonsense; so for every function here.
    pub fn capabilities(&self) -> Result<Capabilities> {
        self.ask(Method::GET, "/v1/capabilities")
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// See [`Self::capabilities`].
    pub fn jobs(&self, limit: u32) -> Result<JobList> {
        self.ask(Method::GET, &format!("/v1/jobs?limit={limit}"))
    }

    /// A job.
    ///
    /// # Errors
    /// See [`Self::capabilities`].
    pub fn job(&self, id: &str) -> Result<RemoteJob> {
        self.ask(Method::GET, &format!("/v1/jobs/{}", encoded(id)))
    }

    /// Asks for a job to stop.
    ///
    /// # Errors
    /// See [`Self::capabilities`].
    pub fn cancel(&self, id: &str) -> Result<RemoteJob> {
        self.ask(Method::POST, &format!("/v1/jobs/{}/cancel", encoded(id)))
    }

    /// Deletes a job with all its files.
    ///
    /// # Errors
    /// See [`Self::capabilities`].
    pub fn delete(&self, id: &str) -> Result<()> {
        self.send(Method::DELETE, &format!("/v1/jobs/{}", encoded(id)), &[], SendBody::none()).map(drop)
    }

    /// The files that a job has so far.
    ///
    /// # Errors
    /// See [`Self::capabilities`].
    pub fn outputs(&self, id: &str) -> Result<Vec<Output>> {
        let list: OutputList = self.ask(Method::GET, &format!("/v1/jobs/{}/outputs", encoded(id)))?;
        Ok(list.outputs)
    }

    /// Writes a file of a job to `target` from byte `start` on; at most `bytes` in all are taken.
    ///
    /// # Errors
    /// See [`Self::capabilities`]; also when `target` cannot be written, or the connection broke before the end.
    pub fn download(&self, id: &str, output: &Output, start: u64, target: &mut dyn io::Write) -> Result<()> {
        let path: Vec<String> = output.path.split('/').map(encoded).collect();
        let path = format!("/v1/jobs/{}/outputs/{}", encoded(id), path.join("/"));
        let range = [("range", format!("bytes={start}-"))];
        let headers: &[(&str, String)] = if start > 0 { &range } else { &[] };
        let time = ANSWER + Duration::from_secs(output.bytes / SLOWEST);
        let response = self.send_within(Some(time), Method::GET, &path, headers, SendBody::none())?;
        if start > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(self.nonsense("the rest of a file was asked for and something else came"));
        }
        let wanted = output.bytes.saturating_sub(start);
        let mut reader = response.into_body().into_reader().take(wanted);
        let copied = io::copy(&mut reader, target).map_err(|error| self.lost(&error))?;
        if copied < wanted {
            return Err(RemoteError::Unreachable { server: self.name.clone(), problem: "the file was cut off".into() });
        }
        Ok(())
    }

    /// Submits a job; `sent` is told how many bytes of how many have gone.
    ///
    /// # Errors
    /// See [`Self::capabilities`]; also when a file cannot be read.
    pub fn submit(&self, submission: &Submission, sent: &mut dyn FnMut(u64, u64)) -> Result<RemoteJob> {
        let boundary = format!("kfold-{}", submission.key);
        let mut form = Form::new(&boundary);
        form.text("query", &submission.query);
        form.text("settings", &submission.settings);
        form.text("priority", &submission.priority.to_string());
        for (name, path) in &submission.files {
            form.file(name, path)?;
        }
        let (mut reader, length) = form.finish();
        let mut done = 0;
        let mut counted = Counted {
            reader: &mut reader,
            count: &mut |bytes| {
                done += bytes;
                sent(done, length);
            },
        };
        let headers = [
            ("content-type", format!("multipart/form-data; boundary={boundary}")),
            ("content-length", length.to_string()),
            ("idempotency-key", submission.key.clone()),
        ];
        let response = self.send(Method::POST, "/v1/jobs", &headers, SendBody::from_reader(&mut counted))?;
        self.understood(response)
    }

    /// Follows a job from after the event `last_id`, from the beginning when it is empty.
    ///
    /// # Errors
    /// See [`Self::capabilities`].
    pub fn follow(&self, id: &str, last_id: &str) -> Result<EventStream> {
        let resume = [("last-event-id", last_id.to_owned())];
        let headers: &[(&str, String)] = if last_id.is_empty() { &[] } else { &resume };
        let path = format!("/v1/jobs/{}/events", encoded(id));
        let response = self.send_within(None, Method::GET, &path, headers, SendBody::none())?;
        Ok(EventStream { lines: BufReader::new(Box::new(response.into_body().into_reader())) })
    }

    fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T> {
        let response = self.send(method, path, &[], SendBody::none())?;
        self.understood(response)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: SendBody<'_>,
    ) -> Result<Response<Body>> {
        self.send_within(Some(ANSWER), method, path, headers, body)
    }

    /// Sends a request whose answer's body must have come within `time`.
    fn send_within(
        &self,
        time: Option<Duration>,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: SendBody<'_>,
    ) -> Result<Response<Body>> {
        network::ask()?;
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", &self.authorization);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request =
            request.body(body).map_err(|error| RemoteError::Configuration(format!("{}: {error}", self.url)))?;
        let request = self.agent.configure_request(request).timeout_recv_body(time).build();
        let response = self.agent.run(request).map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let text = self.text(response).unwrap_or_default();
        let message = serde_json::from_slice::<Refusal>(&text)
            .map_or_else(|_| String::from_utf8_lossy(&text).chars().take(200).collect(), |refusal| refusal.message);
        Err(RemoteError::Refused { server: self.name.clone(), status, message })
    }

    fn text(&self, response: Response<Body>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut reader = response.into_body().into_reader().take(MAX_ANSWER + 1);
        reader.read_to_end(&mut bytes).map_err(|error| self.lost(&error))?;
        if bytes.len() as u64 > MAX_ANSWER {
            return Err(self.nonsense("it is far too long"));
        }
        Ok(bytes)
    }

    fn understood<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<T> {
        let bytes = self.text(response)?;
        serde_json::from_slice(&bytes).map_err(|error| self.nonsense(&error.to_string()))
    }

    fn unreachable(&self, error: &ureq::Error) -> RemoteError {
        RemoteError::Unreachable { server: self.name.clone(), problem: error.to_string() }
    }

    fn lost(&self, error: &io::Error) -> RemoteError {
        RemoteError::Unreachable { server: self.name.clone(), problem: error.to_string() }
    }

    fn nonsense(&self, problem: &str) -> RemoteError {
        RemoteError::Answer { server: self.name.clone(), problem: problem.to_owned() }
    }
}

/// Server-sent events as they come.
pub struct EventStream {
    lines: BufReader<Box<dyn Read + Send>>,
}

/// Longest line of a stream; an event is a line of a job's event file.
const MAX_LINE: u64 = 2 << 20;

impl EventStream {
    /// Waits for the next event, or for a sign of life (`Some(None)`); `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn next_event(&mut self) -> io::Result<Option<Option<StreamEvent>>> {
        let mut event = StreamEvent::default();
        loop {
            let mut line = Vec::new();
            let read = (&mut self.lines).take(MAX_LINE).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == MAX_LINE {
                return Err(io::Error::other("a line of the events has no end"));
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                return Ok(Some(if event.data.is_empty() { None } else { Some(event) }));
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut event.kind),
                "id" => value.clone_into(&mut event.id),
                "data" => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                }
                _ => {}
            }
        }
    }
}

/// A form that is read part by part, so that no file is ever in memory.
struct Form<'a> {
    boundary: &'a str,
    parts: Vec<Box<dyn Read + Send>>,
    length: u64,
}

impl<'a> Form<'a> {
    fn new(boundary: &'a str) -> Self {
        Self { boundary, parts: Vec::new(), length: 0 }
    }

    fn bytes(&mut self, bytes: Vec<u8>) {
        self.length += bytes.len() as u64;
        self.parts.push(Box::new(io::Cursor::new(bytes)));
    }

    fn text(&mut self, name: &str, text: &str) {
        let boundary = self.boundary;
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        self.bytes(head.into_bytes());
    }

    fn file(&mut self, name: &str, path: &Path) -> Result<()> {
        let file = std::fs::File::open(path).map_err(RemoteError::file(path))?;
        let length = file.metadata().map_err(RemoteError::file(path))?.len();
        let boundary = self.boundary;
        self.bytes(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .into_bytes(),
        );
        self.length += length;
        // A file that grows meanwhile must not make the form longer than was announced.
        self.parts.push(Box::new(file.take(length)));
        self.bytes(b"\r\n".to_vec());
        Ok(())
    }

    fn finish(mut self) -> (impl Read + Send, u64) {
        self.bytes(format!("--{}--\r\n", self.boundary).into_bytes());
        (Parts { parts: self.parts.into_iter().collect() }, self.length)
    }
}

struct Parts {
    parts: std::collections::VecDeque<Box<dyn Read + Send>>,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.front_mut() {
            let read = part.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.parts.pop_front();
        }
        Ok(0)
    }
}

struct Counted<'a> {
    reader: &'a mut dyn Read,
    count: &'a mut dyn FnMut(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        (self.count)(read as u64);
        Ok(read)
    }
}

/// A part of a path in which nothing has a meaning.
fn encoded(part: &str) -> String {
    let mut text = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_understood_line_by_line() {
        let text = ": alive\n\nevent: job\nid: 12\ndata: {\"a\":1}\n\nevent:state\r\nid:12\r\ndata:x\r\ndata:y\r\n\r\nevent: cut";
        let mut stream = EventStream { lines: BufReader::new(Box::new(io::Cursor::new(text))) };
        assert_eq!(stream.next_event().unwrap(), Some(None));
        let first = StreamEvent { kind: "job".into(), id: "12".into(), data: "{\"a\":1}".into() };
        assert_eq!(stream.next_event().unwrap(), Some(Some(first)));
        let second = stream.next_event().unwrap().unwrap().unwrap();
        assert_eq!((second.kind.as_str(), second.data.as_str()), ("state", "x\ny"));
        assert_eq!(stream.next_event().unwrap(), None);
    }

    #[test]
    fn a_form_is_as_long_as_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pdb");
        std::fs::write(&path, "ATOM").unwrap();
        let mut form = Form::new("b");
        form.text("query", "{}");
        form.file("1-a.pdb", &path).unwrap();
        let (mut reader, length) = form.finish();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, length);
        assert!(text.starts_with("--b\r\n") && text.ends_with("\r\n--b--\r\n") && text.contains("\r\n\r\nATOM\r\n"));
    }

    #[test]
    fn nothing_in_a_path_has_a_meaning() {
        assert_eq!(encoded("a/../b c?d%"), "a%2F..%2Fb%20c%3Fd%25");
    }
}
