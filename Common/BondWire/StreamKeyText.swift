/// The text form of a stream key, as it stands in plans and files: its bytes are the key.
package enum StreamKeyText {
    /// 16 to 120 characters of base64url.
    package static func isValid(_ text: String) -> Bool { (16...120).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension StreamKey {
    /// nil where the text is no stream key.
    package init?(text: String, _ crypto: BondCrypto) {
        guard StreamKeyText.isValid(text) else { return nil }
        self.init(Array(text.utf8), crypto)
    }
}
