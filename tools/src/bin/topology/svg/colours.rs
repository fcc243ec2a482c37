//! Colours: one for each domain, as long as they can be told apart, then the same again.

/// White stands out on each, and each can be told from its neighbours.
const DOMAINS: [[u8; 3]; 10] = [
    [36, 96, 200],
    [196, 84, 20],
    [28, 124, 68],
    [136, 72, 184],
    [180, 40, 88],
    [12, 116, 136],
    [128, 100, 8],
    [88, 88, 160],
    [152, 60, 48],
    [84, 112, 32],
];

/// As [`of_domain`], for what has no domain.
pub(super) fn grey() -> [String; 3] {
    [0.06, 0.3, 1.0].map(|strength| mixed([120, 120, 120], strength))
}

/// Returns a faint, a lighter and the full colour of a domain.
pub(super) fn of_domain(domain: usize) -> [String; 3] {
    let colour = DOMAINS[domain % DOMAINS.len()];
    [0.1, 0.38, 1.0].map(|strength| mixed(colour, strength))
}

/// Returns the colour of a distance, darker the farther.
pub(super) fn far(distance: u32, most: u32) -> String {
    mixed([96, 104, 120], 0.1 + 0.6 * f64::from(distance) / f64::from(most.max(1)))
}

/// Mixes a colour with white.
fn mixed(colour: [u8; 3], strength: f64) -> String {
    let [r, g, b] = colour.map(|part| (255.0 - strength * (255.0 - f64::from(part))).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}
