//! One request: redirects, ranges, and what an answer says of the file.

use std::io::Read;
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, Uri};
use ureq::{Agent, Body};

use super::part::Identity;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 8;
/// Bytes of all headers of an answer.
const MAX_HEADERS: usize = 64 << 10;
/// To find and to reach a server.
const CONNECT: Duration = Duration::from_secs(30);

/// Asks servers.
pub(super) struct Client {
    agent: Agent,
}

/// An answer that brings bytes.
pub(super) struct Answer {
    /// Where in the file its bytes begin.
    pub start: u64,
    /// The file they belong to.
    pub identity: Identity,
    /// The bytes.
    pub body: Box<dyn Read>,
}

/// An answer without bytes, or none.
pub(super) enum Refusal {
    /// It may go better next time.
    Passing(String),
    /// Another time will be no better.
    Lasting(String),
    /// The file ends before what was asked for begins: it is another.
    OtherFile,
}

impl Client {
    pub fn new(stall: Duration) -> Self {
        let config = Agent::config_builder()
            .user_agent(concat!("kfold-studio/", env!("CARGO_PKG_VERSION")))
            // As it is: a part of a compressed file is no part of the file.
            .accept_encoding("identity")
            .http_status_as_error(false)
            // Followed here, where the answers on the way are read too.
            .max_redirects(0)
            .max_response_header_size(MAX_HEADERS)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT.min(stall)))
            .timeout_recv_response(Some(stall))
            .timeout_per_read(Some(stall))
            .timeout_per_write(Some(stall))
            .build();
        Self { agent: config.new_agent() }
    }

    /// Asks for a file from its byte `from` on; as a whole if it is no longer the one of the `validator`.
    pub fn get(&self, source: &str, from: u64, validator: Option<&str>) -> Result<Answer, Refusal> {
        let mut url = source.to_owned();
        // What the answers on the way say of the file they lead to.
        let mut linked = Identity::default();
        for _ in 0..=MAX_REDIRECTS {
            crate::network::ask().map_err(|offline| Refusal::Lasting(offline.to_string()))?;
            let mut request = self.agent.get(&url);
            if from > 0 {
                request = request.header("Range", format!("bytes={from}-"));
                if let Some(validator) = validator {
                    request = request.header("If-Range", validator);
                }
            }
            let response = request.call().map_err(|error| refusal_of(&error))?;
            let status = response.status();
            linked.sha256 = linked.sha256.or_else(|| linked_sha256(response.headers()));
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return answer(response, from, linked);
            }
            let location = header(response.headers(), "location")
                .ok_or_else(|| Refusal::Lasting("it redirects to nowhere".to_owned()))?;
            url = join(&url, location).map_err(Refusal::Lasting)?;
        }
        Err(Refusal::Lasting(format!("it redirects more than {MAX_REDIRECTS} times")))
    }
}

/// What an answer is that redirects no further.
fn answer(response: ureq::http::Response<Body>, from: u64, linked: Identity) -> Result<Answer, Refusal> {
    let status = response.status();
    let headers = response.headers();
    let range = header(headers, "content-range").and_then(content_range);
    let length = header(headers, "content-length").and_then(|length| length.parse::<u64>().ok());
    let (start, total) = match status {
        StatusCode::OK => (0, length),
        StatusCode::PARTIAL_CONTENT => {
            let Some(ContentRange { first: Some(first), total: Some(total) }) = range else {
                return Err(Refusal::Lasting("it sends a part of the file without saying which".to_owned()));
            };
            (first, Some(total))
        }
        StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return Err(Refusal::OtherFile),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(Refusal::Lasting(format!(
                "it refuses ({status}); perhaps its terms must be accepted in a browser first: download it there and use \
                 kfold-studio models import"
            )));
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            return Err(Refusal::Passing(format!("it answers {status}")));
        }
        _ if status.is_server_error() => return Err(Refusal::Passing(format!("it answers {status}"))),
        _ => return Err(Refusal::Lasting(format!("it answers {status}"))),
    };
    if let Some(encoding) = header(headers, "content-encoding").filter(|encoding| *encoding != "identity") {
        return Err(Refusal::Lasting(format!("it sends the file packed ({encoding}), unasked")));
    }
    let text = |name| header(headers, name).map(str::to_owned);
    let identity = Identity {
        source: String::new(),
        etag: text("etag").filter(|etag| !etag.starts_with("W/")),
        last_modified: text("last-modified"),
        sha256: linked.sha256,
        total,
    };
    Ok(Answer { start, identity, body: Box::new(response.into_body().into_reader()) })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The SHA-256 that a hub's answer gives of the large file it stands for.
fn linked_sha256(headers: &HeaderMap) -> Option<String> {
    let tag = header(headers, "x-linked-etag")?.trim_matches('"');
    (tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| tag.to_ascii_lowercase())
}

#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    first: Option<u64>,
    total: Option<u64>,
}

/// Reads `bytes FIRST-LAST/TOTAL` or `bytes */TOTAL`.
fn content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let total = total.trim().parse::<u64>().ok();
    if range.trim() == "*" {
        return Some(ContentRange { first: None, total });
    }
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?);
    let fits = first <= last && total.is_none_or(|total| last.checked_add(1) == Some(total));
    fits.then_some(ContentRange { first: Some(first), total })
}

fn refusal_of(error: &ureq::Error) -> Refusal {
    let reason = match error {
        ureq::Error::HostNotFound => "there is no such server, or no network".to_owned(),
        ureq::Error::Timeout(_) => "it does not answer".to_owned(),
        other => other.to_string(),
    };
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => Refusal::Lasting(reason),
        _ => Refusal::Passing(reason),
    }
}

/// The address that `reference` means on the page `base` (RFC 3986, section 5, for what servers send).
///
/// # Errors
/// When it is no address of a web server, or leads from a safe connection to an open one.
pub fn join(base: &str, reference: &str) -> Result<String, String> {
    let wrong = |what: &str| Err(format!("{what} is no address of a web server"));
    let Ok(from) = base.parse::<Uri>() else { return wrong(base) };
    let (Some(scheme), Some(authority)) = (from.scheme_str(), from.authority()) else { return wrong(base) };
    let whole = if has_scheme(reference) {
        reference.to_owned()
    } else if let Some(rest) = reference.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if reference.starts_with('/') {
        format!("{scheme}://{authority}{reference}")
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{reference}")
    };
    // A fragment is not sent.
    let whole = whole.split('#').next().unwrap_or_default().to_owned();
    match whole
        .parse::<Uri>()
        .ok()
        .filter(|uri| uri.authority().is_some())
        .and_then(|uri| uri.scheme_str().map(str::to_owned))
    {
        Some(to) if to == "https" || (to == "http" && scheme != "https") => Ok(whole),
        Some(to) if to == "http" => Err(format!("it leads from https to http ({whole})")),
        _ => wrong(reference),
    }
}

/// Whether a reference names its scheme.
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined() {
        let base = "https://hub.org/a/b/resolve/main/x.pth?d=1";
        for (reference, whole) in [
            ("https://cdn.org/x?s=1#t", "https://cdn.org/x?s=1"),
            ("//cdn.org/x", "https://cdn.org/x"),
            ("/c/x", "https://hub.org/c/x"),
            ("y.pth", "https://hub.org/a/b/resolve/main/y.pth"),
        ] {
            assert_eq!(join(base, reference).as_deref(), Ok(whole), "{reference}");
        }
        for reference in ["http://cdn.org/x", "file:///etc/passwd", "ftp://cdn.org/x", "javascript:x", "https:///x"] {
            assert!(join(base, reference).is_err(), "{reference}");
        }
        assert!(join("http://lab/x", "http://lab2/x").is_ok());
        assert!(join("/x", "y").is_err());
    }

    #[test]
    fn ranges_that_are_not_to_the_end_are_none() {
        assert_eq!(content_range("bytes 5-9/10"), Some(ContentRange { first: Some(5), total: Some(10) }));
        assert_eq!(content_range("bytes */10"), Some(ContentRange { first: None, total: Some(10) }));
        for text in [
            "bytes 5-8/10",
            "bytes 9-5/10",
            "items 5-9/10",
            "bytes 5-9",
            "bytes -9/10",
            "bytes 5-18446744073709551615/10",
        ] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
