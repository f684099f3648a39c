import Crypto
import STUN

/// Bytes written as fields, each with its name: `hex(("kind", "10"), ...)`.
func hex(_ fields: (name: String, digits: String)...) -> [UInt8] {
    let digits = Array(fields.map(\.digits).joined().utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).map { index in
        UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)!
    }
}

/// OpenSSL's code under a password.
func code(_ password: String) -> IntegrityCode {
    let code = HMACSHA1(key: Array(password.utf8))
    return { code.tag(over: $0) }
}

let transaction = TransactionID(high: 0x0102_0304, low: 0x0506_0708_090a_0b0c)

/// A Binding request whose attributes are these bytes.
func message(_ attributes: [UInt8], type: UInt16 = 1) -> [UInt8] {
    [UInt8(type >> 8), UInt8(type & 0xff), UInt8(attributes.count >> 8), UInt8(attributes.count & 0xff)] + [0x21, 0x12, 0xa4, 0x42]
        + transaction.bytes + attributes
}

/// Arrays in place of spans, which the macros of tests cannot pass on.
extension STUNMessage {
    init?(_ bytes: [UInt8]) { self.init(bytes.span) }
    func isAuthentic(_ bytes: [UInt8], _ code: IntegrityCode) -> Bool { isAuthentic(bytes.span, code) }
    func hasGoodFingerprint(_ bytes: [UInt8]) -> Bool { hasGoodFingerprint(bytes.span) }
    func mappedAddress(_ bytes: [UInt8]) -> MappedAddress? { mappedAddress(bytes.span) }
    func unknownAttributes(_ bytes: [UInt8], limit: Int) -> [UInt16] { unknownAttributes(bytes.span, limit: limit) }
}
