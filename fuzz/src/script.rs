//! The choices that an input makes before its payload begins.

/// A line of choices, taken one after the other; when it is used up, every further choice is the first.
#[derive(Clone, Debug, Default)]
pub struct Script<'a> {
    line: &'a [u8],
}

impl<'a> Script<'a> {
    /// Parts an input into its script and the payload behind the first line feed.
    #[must_use]
    pub fn of(input: &'a [u8]) -> (Self, &'a [u8]) {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        (Self { line: &input[..end] }, input.get(end + 1..).unwrap_or_default())
    }

    /// The next choice among `count`, from 0. In a seed, the digit `n` chooses the n-th.
    pub fn choose(&mut self, count: u8) -> u8 {
        let Some((first, rest)) = self.line.split_first() else { return 0 };
        self.line = rest;
        first.wrapping_sub(b'0') % count
    }

    /// One of `options`.
    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        let count = u8::try_from(options.len()).expect("few options");
        options[usize::from(self.choose(count))]
    }

    /// A number of up to 16 bits: a place in what was made from the payload.
    pub fn number(&mut self) -> usize {
        usize::from(self.choose(u8::MAX)) * 251 + usize::from(self.choose(u8::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_the_first_line_and_never_runs_dry() {
        let (mut script, payload) = Script::of(b"12\nrest\nmore");
        assert_eq!((script.choose(3), script.choose(3), script.choose(3)), (1, 2, 0));
        assert_eq!(payload, b"rest\nmore");
        let (mut script, payload) = Script::of(b"");
        assert_eq!((script.pick(&['a', 'b']), payload), ('a', &b""[..]));
    }
}
