import Crypto
import Glibc

/// A colour of sRGB, written `#2563EB`.
struct Colour: Hashable, Sendable {
    let red, green, blue: UInt8

    init?(_ text: String) {
        guard text.utf8.count == 7, text.hasPrefix("#"), let bytes = Hex.decode(text.dropFirst()), bytes.count == 3 else { return nil }
        (red, green, blue) = (bytes[0], bytes[1], bytes[2])
    }

    /// 0, of black, to 1, of white. Source: WCAG 2.2, relative luminance.
    var luminance: Double {
        func linear(_ part: UInt8) -> Double {
            let value = Double(part) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// 1 to 21. Source: WCAG 2.2, contrast ratio.
    func contrast(with other: Colour) -> Double {
        let (bright, dark) = (max(luminance, other.luminance), min(luminance, other.luminance))
        return (bright + 0.05) / (dark + 0.05)
    }

    /// What a text needs that everybody can read. Source: WCAG 2.2, 1.4.3.
    static let readable = 4.5
}
