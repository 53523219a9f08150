//! Just enough of Rust's grammar for the rules: words and signs with their lines, without comments and literals.
//!
//! A token stream, not a syntax tree, so that paths inside macros are seen as well.

/// A word, a sign, or a literal whose content doesn't matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Word(String),
    /// One character, or `::`.
    Sign(&'static str),
    Other,
}

/// One token and the line (from 1) on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
}

impl Token {
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Sign(_) | Kind::Other => None,
        }
    }

    pub fn is(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Word(word) => word == text,
            Kind::Sign(sign) => *sign == text,
            Kind::Other => false,
        }
    }
}

/// Whether the tokens at `at` read as `texts`.
pub fn reads(tokens: &[Token], at: usize, texts: &[&str]) -> bool {
    texts.iter().enumerate().all(|(offset, text)| tokens.get(at + offset).is_some_and(|token| token.is(text)))
}

pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars, at: 0, line: 1, tokens: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

/// The index after the item, statement or block that begins at `at`: after its `;`, or after its first `{ … }`.
pub fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.kind {
            Kind::Sign("(" | "[" | "{") => depth += 1,
            Kind::Sign(closing @ (")" | "]" | "}")) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && closing == "}" {
                    break;
                }
            }
            Kind::Sign(";") if depth == 0 => break,
            _ => {}
        }
    }
    at
}

/// An attribute `#[…]` or `#![…]` that begins at `at`: the index after it.
pub fn end_of_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let open = if reads(tokens, at, &["#", "["]) {
        at + 1
    } else if reads(tokens, at, &["#", "!", "["]) {
        at + 2
    } else {
        return None;
    };
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Sign("[") => depth += 1,
            Kind::Sign("]") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}

/// The ranges of tokens that only tests compile: items behind `#[test]`, or behind a `#[cfg(…)]` that asks for `test`.
pub fn test_ranges(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(mut end) = end_of_attribute(tokens, at) else {
            at += 1;
            continue;
        };
        let inner = &tokens[at..end];
        let asks = |word: &str| inner.iter().any(|token| token.is(word));
        let is_test = reads(inner, 1, &["[", "test", "]"]) || (asks("cfg") && asks("test") && !asks("not"));
        if is_test && tokens[at + 1].is("[") {
            while let Some(next) = end_of_attribute(tokens, end) {
                end = next;
            }
            end = end_of_item(tokens, end);
            ranges.push(at..end);
        }
        at = end;
    }
    ranges
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn step(&mut self) {
        let (line, here) = (self.line, self.chars[self.at]);
        match (here, self.peek(1)) {
            ('/', Some('/')) => self.skip_while(|c| c != '\n'),
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.quoted(line),
            ('\'', _) => self.tick(line),
            (':', Some(':')) => {
                self.forward(2);
                self.push(Kind::Sign("::"), line);
            }
            (c, _) if c.is_whitespace() => self.forward(1),
            (c, _) if c.is_alphabetic() || c == '_' => self.word(line),
            (c, _) if c.is_ascii_digit() => {
                self.skip_while(|c| c.is_alphanumeric() || c == '_');
                self.push(Kind::Other, line);
            }
            (c, _) => {
                self.forward(1);
                let sign = SIGNS.iter().find(|sign| sign.starts_with(c));
                self.push(sign.map_or(Kind::Other, |sign| Kind::Sign(sign)), line);
            }
        }
    }

    /// An identifier, a raw identifier, or the prefix of a literal (`r"`, `b'`, `br#"`, `c"`).
    fn word(&mut self, line: usize) {
        let start = self.at;
        self.skip_while(|c| c.is_alphanumeric() || c == '_');
        let word: String = self.chars[start..self.at].iter().collect();
        let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
        match self.peek(0) {
            Some('"') if is_raw => self.raw_string(0, line),
            Some('"') if matches!(word.as_str(), "b" | "c") => self.quoted(line),
            Some('\'') if word == "b" => self.tick(line),
            Some('#') if is_raw => {
                let hashes = self.chars[self.at..].iter().take_while(|c| **c == '#').count();
                if self.peek(hashes) == Some('"') {
                    self.forward(hashes);
                    self.raw_string(hashes, line);
                } else {
                    self.forward(1);
                    self.word(line);
                }
            }
            _ => self.push(Kind::Word(word), line),
        }
    }

    fn quoted(&mut self, line: usize) {
        self.forward(1);
        while let Some(c) = self.peek(0) {
            self.forward(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                break;
            }
        }
        self.push(Kind::Other, line);
    }

    fn raw_string(&mut self, hashes: usize, line: usize) {
        self.forward(1);
        while let Some(c) = self.peek(0) {
            self.forward(1);
            if c == '"' && (0..hashes).all(|offset| self.peek(offset) == Some('#')) {
                self.forward(hashes);
                break;
            }
        }
        self.push(Kind::Other, line);
    }

    /// A character literal, or a lifetime or label.
    fn tick(&mut self, line: usize) {
        if self.peek(1) == Some('\\') {
            self.forward(3);
            self.skip_while(|c| c != '\'');
            self.forward(1);
            self.push(Kind::Other, line);
        } else if self.peek(2) == Some('\'') {
            self.forward(3);
            self.push(Kind::Other, line);
        } else {
            self.forward(1);
            self.skip_while(|c| c.is_alphanumeric() || c == '_');
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.chars.len() {
            match (self.chars[self.at], self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.forward(1);
                    continue;
                }
            }
            self.forward(2);
            if depth == 0 {
                break;
            }
        }
    }

    fn peek(&self, offset: usize) -> Option<char> {
        self.chars.get(self.at + offset).copied()
    }

    fn forward(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == Some('\n') {
                self.line += 1;
            }
            self.at = (self.at + 1).min(self.chars.len());
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.forward(1);
        }
    }

    fn push(&mut self, kind: Kind, line: usize) {
        self.tokens.push(Token { kind, line });
    }
}

const SIGNS: [&str; 17] = ["(", ")", "[", "]", "{", "}", ";", ",", "*", "#", "!", "<", ">", "=", "$", ":", "."];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).iter().filter_map(|token| token.word().map(str::to_owned)).collect()
    }

    #[test]
    fn comments_and_literals_are_no_words() {
        let text = r###"a /* b /* c */ d */ e // f
            "g \" h" r#"i " j"# b"k" 'l' '\'' b'm' br##"n"# o"## p"###;
        assert_eq!(words(text), ["a", "e", "p"]);
    }

    #[test]
    fn lifetimes_and_raw_identifiers_are_told_from_literals() {
        assert_eq!(words("fn f<'a>(x: &'a str) -> r#type { 'x' }"), ["fn", "f", "x", "str", "type"]);
    }

    #[test]
    fn lines_are_counted_through_comments_and_literals() {
        let all = tokens("/* \n\n */ \"\n\\\n\" a\nb");
        assert_eq!(all.iter().map(|token| token.line).collect::<Vec<_>>(), [3, 5, 6]);
    }

    #[test]
    fn only_what_tests_compile_is_a_test_range() {
        let text = "fn a() {} #[cfg(test)] #[allow(x)] mod t { fn b() { [1; 2]; } } #[cfg(not(test))] fn c() {} \
                    #[test] fn d() {} #[cfg(all(test, unix))] use e; fn f() {}";
        let all = tokens(text);
        let inside: Vec<_> = test_ranges(&all).into_iter().flat_map(|range| all[range].to_vec()).collect();
        let named: Vec<_> = inside.iter().filter_map(Token::word).filter(|word| word.len() == 1).collect();
        assert_eq!(named, ["x", "t", "b", "d", "e"]);
    }
}
