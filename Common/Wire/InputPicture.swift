/// Asks an agent for a picture of an input that no broadcast uses.
package struct PictureOrder: Codable, Sendable, Hashable {
    /// The input's id, as the inventory has it.
    package var input: String
    package init(input: String) { self.input = input }
}

/// A picture of an idle input, small: sent before the outcome of the order that asked for it, where the link has room.
package struct InputPicture: Codable, Sendable, Hashable {
    package var input: String
    /// Of a JPEG file; whoever shows it holds it against `Thumbnail` first.
    package var base64: String

    package init(input: String, base64: String) {
        self.input = input
        self.base64 = base64
    }

    /// - Returns: nil for what cannot be a picture within the bounds: half of one is none.
    package func bounded() -> InputPicture? {
        guard base64.utf8.count <= (WireLimits.thumbnailBytes + 2) / 3 * 4, base64.isPlain else { return nil }
        return InputPicture(input: input.bounded(to: 256), base64: base64)
    }
}
