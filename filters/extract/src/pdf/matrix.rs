//! Where text stands on a page (ISO 32000-1, 8.3.3).

/// A change of coordinates: `[a b c d e f]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix([f64; 6]);

impl Matrix {
    pub(super) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// The matrix with these numbers; missing ones are those of the identity.
    pub(super) fn of(numbers: &[f64]) -> Self {
        let mut matrix = Self::IDENTITY;
        matrix.0.iter_mut().zip(numbers).for_each(|(place, number)| *place = *number);
        matrix
    }

    pub(super) fn moved(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this, then the other.
    pub(super) fn then(self, other: Self) -> Self {
        let ([a, b, c, d, e, f], [k, l, m, n, o, p]) = (self.0, other.0);
        Self([
            a * k + b * m,
            a * l + b * n,
            c * k + d * m,
            c * l + d * n,
            e * k + f * m + o,
            e * l + f * n + p,
        ])
    }

    /// Where the origin comes to lie.
    pub(super) fn origin(self) -> (f64, f64) {
        (self.0[4], self.0[5])
    }

    /// Which way and how far one step along x goes.
    pub(super) fn along(self) -> (f64, f64) {
        (self.0[0], self.0[1])
    }

    /// The same for y.
    pub(super) fn up(self) -> (f64, f64) {
        (self.0[2], self.0[3])
    }
}

/// The length of a way.
pub(super) fn length((x, y): (f64, f64)) -> f64 {
    x.hypot(y)
}
