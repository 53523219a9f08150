//! DER by hand: enough to walk an OCSP answer without copying, and to write a request. Used by `answer` and `request`.
//!
//! `rasn` decodes the sampled answers a second time (`verify`) and must agree with what was read here.

/// What is left of some DER; elements are taken off its front.
#[derive(Clone, Copy, Debug)]
pub struct Der<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    pub tag: u8,
    /// Without tag and length.
    pub content: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
}

/// The octets are not what they should be; says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not DER as expected: {0}")]
pub struct Malformed(pub &'static str);

impl<'a> Der<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let [tag, first, rest @ ..] = self.0 else { return Err(Malformed("cut off")) };
        if tag & 0x1f == 0x1f {
            return Err(Malformed("a long tag"));
        }
        let (length, head) = match usize::from(*first) {
            short @ ..=0x7f => (short, 2),
            0x81 if rest.first().is_some_and(|octet| *octet >= 0x80) => (usize::from(rest[0]), 3),
            0x82 if rest.len() >= 2 && rest[0] != 0 => (usize::from(rest[0]) << 8 | usize::from(rest[1]), 4),
            0x83 if rest.len() >= 3 && rest[0] != 0 => {
                (usize::from(rest[0]) << 16 | usize::from(rest[1]) << 8 | usize::from(rest[2]), 5)
            }
            _ => return Err(Malformed("a length")),
        };
        let whole = self.0.get(..head + length).ok_or(Malformed("cut off"))?;
        self.0 = &self.0[whole.len()..];
        Ok(Element { tag: *tag, content: &whole[head..], whole })
    }

    /// The next element, which has to have this tag.
    pub fn expect(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, Malformed> {
        self.next().ok().filter(|element| element.tag == tag).ok_or(Malformed(what))
    }

    /// The next element if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.0.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// Nothing may be left.
    pub fn end(self, what: &'static str) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed(what)) }
    }
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub fn inside(self) -> Der<'a> {
        Der(self.content)
    }

    /// The one element inside, which has to have this tag.
    pub fn only(self, tag: u8, what: &'static str) -> Result<Element<'a>, Malformed> {
        let mut inside = self.inside();
        let element = inside.expect(tag, what)?;
        inside.end(what)?;
        Ok(element)
    }
}

/// Appends tag and length of an element with `length` octets of content.
pub fn put_head(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match length {
        ..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        0x100..0x1_0000 => out.extend([0x82, (length >> 8) as u8, length as u8]),
        _ => out.extend([0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
}

/// How many octets an element with `length` octets of content has.
pub fn whole_length(length: usize) -> usize {
    length
        + match length {
            ..0x80 => 2,
            0x80..0x100 => 3,
            0x100..0x1_0000 => 4,
            _ => 5,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_at_every_length() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let mut bytes = Vec::new();
            put_head(&mut bytes, 4, length);
            bytes.resize(bytes.len() + length, 7);
            assert_eq!(bytes.len(), whole_length(length));
            let mut der = Der::new(&bytes);
            let element = der.expect(4, "octets").unwrap();
            assert_eq!((element.content.len(), element.whole.len()), (length, bytes.len()));
            assert!(der.is_empty());
            let cut = &bytes[..bytes.len() - 1];
            assert!(Der::new(cut).next().is_err(), "{length}");
        }
    }

    #[test]
    fn lengths_that_der_forbids_are_refused() {
        for bytes in
            [&[4, 0x80, 0, 0][..], &[4, 0x81, 1, 9], &[4, 0x82, 0, 1, 9], &[4, 0x84, 0, 0, 0, 0], &[0x3f, 1, 0]]
        {
            assert!(Der::new(bytes).next().is_err(), "{bytes:02x?}");
        }
    }
}
