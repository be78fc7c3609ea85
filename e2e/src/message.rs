//! HTTP/1.1 messages as they stand on the wire (RFC 9112), for both ends of a connection.
//!
//! Small and strict on purpose: HTTP libraries fold names, join fields and mend targets, and these tests are about
//! exactly that. No continuation lines, no trailers, no pipelining.

use std::io::{self, BufRead, Error, ErrorKind, Read};

/// Longest line that is read. The parts of the stack stay far below it.
const MAX_LINE: u64 = 128 * 1024;
/// Most octets of a body handed out at once.
const PIECE: usize = 64 * 1024;

/// The first line and the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Request line or status line.
    pub start: String,
    /// Fields in the order they came, names as written.
    pub fields: Vec<(String, String)>,
}

/// How a body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After this many octets.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    Connection,
}

/// A body on its way in.
#[derive(Debug)]
pub struct Body<R> {
    reader: R,
    framing: Framing,
    ended: bool,
}

impl Head {
    /// Reads a head; an end of the connection before its end is an error.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let start = line(reader)?;
        let mut fields = Vec::new();
        loop {
            let line = line(reader)?;
            if line.is_empty() {
                return Ok(Self { start, fields });
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken("a field without a colon"))?;
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// Every value of a field, in order.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.fields.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first value of a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How the body is framed, `otherwise` when the head does not say.
    pub fn framing(&self, otherwise: Framing) -> Framing {
        if self.value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Framing::Chunked;
        }
        self.value("content-length").and_then(|length| length.parse().ok()).map_or(otherwise, Framing::Length)
    }
}

impl<R: BufRead> Body<R> {
    /// A body framed like this.
    pub const fn new(reader: R, framing: Framing) -> Self {
        Self { reader, framing, ended: matches!(framing, Framing::Length(0)) }
    }

    /// The next octets as soon as there are some; `None` at the end.
    pub fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.ended {
            return Ok(None);
        }
        match self.framing {
            Framing::Length(left) => {
                let piece = self.available(usize::try_from(left).unwrap_or(usize::MAX))?;
                if piece.is_empty() {
                    return Err(broken("the connection ended before the body"));
                }
                let left = left - piece.len() as u64;
                self.framing = Framing::Length(left);
                self.ended = left == 0;
                Ok(Some(piece))
            }
            Framing::Chunked => {
                let size = line(&mut self.reader)?;
                let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
                    .map_err(|_| broken("a chunk without a size"))?;
                let mut piece = vec![0; size];
                self.reader.read_exact(&mut piece)?;
                line(&mut self.reader)?;
                self.ended = size == 0;
                Ok((size > 0).then_some(piece))
            }
            Framing::Connection => {
                let piece = self.available(PIECE)?;
                self.ended = piece.is_empty();
                Ok((!self.ended).then_some(piece))
            }
        }
    }

    /// All that is left.
    pub fn whole(mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece()? {
            whole.extend(piece);
        }
        Ok(whole)
    }

    fn available(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let buffered = self.reader.fill_buf()?;
        let piece = buffered[..buffered.len().min(most).min(PIECE)].to_vec();
        self.reader.consume(piece.len());
        Ok(piece)
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut octets = Vec::new();
    reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut octets)?;
    if octets.pop() != Some(b'\n') {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended within a line"));
    }
    if octets.last() == Some(&b'\r') {
        octets.pop();
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(octets: &[u8], framing: Framing) -> io::Result<Vec<u8>> {
        Body::new(octets, framing).whole()
    }

    #[test]
    fn a_head_keeps_names_order_and_repeats() {
        let head = Head::read(&mut &b"GET / HTTP/1.1\r\nX-A: 1\r\nx-a:2\r\n\r\nrest"[..]).unwrap();
        assert_eq!(head.start, "GET / HTTP/1.1");
        assert_eq!(head.values("X-a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(Head::read(&mut &b"GET / HTTP/1.1\r\nX-A: 1\r\n"[..]).is_err());
    }

    #[test]
    fn bodies_end_as_they_are_framed() {
        assert_eq!(body(b"abcd", Framing::Length(3)).unwrap(), b"abc");
        assert!(body(b"ab", Framing::Length(3)).is_err());
        assert_eq!(body(b"3;x\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", Framing::Chunked).unwrap(), b"abcd");
        assert!(body(b"3\r\nabc\r\n", Framing::Chunked).is_err());
        assert_eq!(body(b"abc", Framing::Connection).unwrap(), b"abc");
        assert_eq!(body(b"abc", Framing::Length(0)).unwrap(), b"");
    }
}
