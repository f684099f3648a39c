extension Unicode.Scalar {
    /// Whether it can do something to whoever reads it: control characters of C0 and C1 (a terminal obeys U+009B as it does
    /// ESC [), ends of lines and paragraphs, what turns the direction of the text behind it (CVE-2021-42574), and what takes no room or
    /// shows nothing in it; the joiners of scripts and emoji stay.
    package var isHostile: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F: true
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        case 0x115F, 0x1160, 0x180E, 0x200B, 0x2060...0x2064, 0x3164, 0xFFA0: true
        default: false
        }
    }
}

extension StringProtocol {
    /// Whether it is one line that shows what it says.
    package var isPlain: Bool { !unicodeScalars.contains { $0.isHostile } }

    /// The same text with each hostile character as JSON and Swift write it, `\u202e`: safe to print, and still JSON where it was.
    ///
    /// - Parameter kept: hostile characters that stay, e.g. the newlines between lines.
    package func escaped(but kept: Set<Unicode.Scalar> = []) -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            guard scalar.isHostile, !kept.contains(scalar) else {
                result.append(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 16)
            result.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).unicodeScalars)
        }
        return String(result)
    }
}
