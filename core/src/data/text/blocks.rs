//! Cuts a stream of bytes into blocks of whole records, without parsing them.

use std::io::{self, Read};

/// Bytes of a block, unless one record is longer. Enough rows for a batch, few enough to stay in a core's cache.
const BLOCK_BYTES: usize = 1 << 20;

/// A record longer than this is taken for a mistake: most often a quote that is never closed.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// How the records of a text are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// One per line.
    Lines,
    /// One per line, except that line breaks within quoted fields are text.
    Csv { delimiter: u8 },
}

/// Reads blocks of whole records.
pub struct BlockReader {
    source: Box<dyn Read + Send>,
    records: Records,
    /// Read already, but not handed out: the head that was looked at, or the start of a record.
    carry: Vec<u8>,
    is_at_end: bool,
}

/// Why there is no next block.
#[derive(Debug)]
pub enum BlockError {
    Io(io::Error),
    /// The first record of the block is longer than [`MAX_RECORD_BYTES`].
    RecordTooLong,
}

impl BlockReader {
    /// `head`: bytes that were read from `source` already.
    pub fn new(source: Box<dyn Read + Send>, records: Records, head: Vec<u8>) -> Self {
        Self { source, records, carry: head, is_at_end: false }
    }

    /// Puts a block back that was looked at.
    pub fn push_back(&mut self, mut block: Vec<u8>) {
        block.append(&mut self.carry);
        self.carry = block;
    }

    /// The next block, in the memory of `buffer`; `None` at the end.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Vec<u8>>, BlockError> {
        buffer.clear();
        buffer.append(&mut self.carry);
        let mut wanted = BLOCK_BYTES;
        loop {
            if !self.is_at_end && buffer.len() < wanted {
                let missing = wanted - buffer.len();
                buffer.reserve(missing);
                let read = self.source.by_ref().take(missing as u64).read_to_end(&mut buffer).map_err(BlockError::Io)?;
                self.is_at_end = read < missing;
            }
            if self.is_at_end {
                // A head longer than a block still leaves in blocks.
                if buffer.len() <= wanted {
                    return Ok((!buffer.is_empty()).then_some(buffer));
                }
            }
            if let Some(end) = last_record_end(&buffer, self.records) {
                self.carry.extend_from_slice(&buffer[end..]);
                buffer.truncate(end);
                return Ok(Some(buffer));
            }
            if self.is_at_end {
                return Ok((!buffer.is_empty()).then_some(buffer));
            }
            if wanted >= MAX_RECORD_BYTES {
                return Err(BlockError::RecordTooLong);
            }
            wanted *= 2;
        }
    }
}

/// Where the last whole record ends, in a text that starts with a record. `None`: not even the first is whole.
pub fn last_record_end(bytes: &[u8], records: Records) -> Option<usize> {
    let after_last_break = |from: usize, to: usize| memchr::memrchr(b'\n', &bytes[from..to]).map(|at| from + at + 1);
    let Records::Csv { delimiter } = records else { return after_last_break(0, bytes.len()) };
    let mut end = None;
    // Always outside quotes.
    let mut position = 0;
    while let Some(offset) = memchr::memchr(b'"', &bytes[position..]) {
        let quote = position + offset;
        end = after_last_break(position, quote).or(end);
        let opens = quote == 0 || bytes[quote - 1] == delimiter || bytes[quote - 1] == b'\n';
        position = if opens {
            match closing_quote(bytes, quote + 1) {
                Some(closing) => closing + 1,
                None => return end,
            }
        } else {
            quote + 1
        };
    }
    after_last_break(position, bytes.len()).or(end)
}

/// Where the first record ends, its line break included. `None`: it is not whole.
pub fn first_record_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut position = 0;
    loop {
        let at = position + memchr::memchr2(b'"', b'\n', &bytes[position..])?;
        if bytes[at] == b'\n' {
            return Some(at + 1);
        }
        let opens = at == 0 || bytes[at - 1] == delimiter;
        position = if opens { closing_quote(bytes, at + 1)? + 1 } else { at + 1 };
    }
}

/// Where the quoted text that starts at `from` closes; doubled quotes are text.
pub fn closing_quote(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let quote = from + memchr::memchr(b'"', &bytes[from..])?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        from = quote + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Records = Records::Csv { delimiter: b',' };

    #[test]
    fn line_breaks_within_quotes_end_no_record() {
        assert_eq!(last_record_end(b"a,b\nc,d\ne", CSV), Some(8));
        assert_eq!(last_record_end(b"a,\"b\nc\",d\ne", CSV), Some(10));
        assert_eq!(last_record_end(b"a,\"b\nc", CSV), None);
        assert_eq!(last_record_end(b"x\na,\"b\"\"\nc", CSV), Some(2));
        // A quote within an unquoted field is text.
        assert_eq!(last_record_end(b"5\" pipe,1\n6\" pipe", CSV), Some(10));
        assert_eq!(last_record_end(b"a,\"b\nc", Records::Lines), Some(5));
    }

    #[test]
    fn the_first_record_ends_outside_quotes() {
        assert_eq!(first_record_end(b"\"a\nb\",5\"\nx", b','), Some(9));
        assert_eq!(first_record_end(b"\"a\nb", b','), None);
        assert_eq!(first_record_end(b"a,b", b','), None);
    }

    #[test]
    fn blocks_join_to_the_whole_text() {
        let mut text = Vec::new();
        for row in 0..200_000 {
            text.extend_from_slice(format!("{row},\"line\nbreak {row}\",3\n").as_bytes());
        }
        text.extend_from_slice(b"last,without,break");
        let (head, rest) = text.split_at(100);
        let mut reader = BlockReader::new(Box::new(io::Cursor::new(rest.to_vec())), CSV, head.to_vec());
        let mut joined = Vec::new();
        let mut n_blocks = 0;
        while let Some(block) = reader.next(Vec::new()).unwrap() {
            assert!(block.len() <= BLOCK_BYTES);
            assert!(block.ends_with(b",3\n") || block.ends_with(b"break"));
            joined.extend_from_slice(&block);
            n_blocks += 1;
        }
        assert!(n_blocks > 3);
        assert!(joined == text);
    }

    #[test]
    fn a_quote_that_never_closes_is_refused_without_reading_on_forever() {
        let endless = io::Cursor::new(b"a,b\n\"".to_vec()).chain(io::repeat(b'x'));
        let mut reader = BlockReader::new(Box::new(endless), CSV, Vec::new());
        assert_eq!(reader.next(Vec::new()).unwrap(), Some(b"a,b\n".to_vec()));
        assert!(matches!(reader.next(Vec::new()), Err(BlockError::RecordTooLong)));
    }
}
