//! Random numbers that a seed fixes: splitmix64, good enough to choose test cases with.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.number() as u8).collect()
    }

    /// JSON, text, bytes that are no text, or nothing.
    pub fn body(&mut self) -> Vec<u8> {
        let length = self.below(300);
        match self.below(6) {
            0 => Vec::new(),
            1 => self.bytes(length),
            2 => self.text(length).into_bytes(),
            _ => {
                let note = self.text(length / 4);
                let note = note.replace(['"', '\\'], "'");
                let note: String = note.chars().filter(|letter| !letter.is_control()).collect();
                format!("{{\"id\":\"evt_{length}\", \"type\":\"a.b\",\"note\":\"{note}\"}}")
                    .into_bytes()
            }
        }
    }

    fn text(&mut self, letters: usize) -> String {
        const LETTERS: [char; 16] = [
            'a', 'Z', '0', '.', ',', ':', '=', ' ', '\n', '"', '\\', 'é', 'ß', '\u{FFFD}', '😀',
            '\u{0}',
        ];
        (0..letters).map(|_| *self.one(&LETTERS)).collect()
    }
}
