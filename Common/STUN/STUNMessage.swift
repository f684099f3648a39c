/// One STUN message, read where it lies: places and numbers, no copy, so that one that nobody wants costs next to nothing.
///
/// What it says of the bytes is good for the same bytes alone. Of an attribute that is there twice the first one counts. What stands behind
/// MESSAGE-INTEGRITY is left out, FINGERPRINT excepted. Source: RFC 8489 sections 5 and 14.
package struct STUNMessage: Sendable {
    package enum Kind: UInt8, Hashable, Sendable { case request, indication, success, failure }

    package static let headerBytes = 20
    package static let cookie: UInt32 = 0x2112_a442
    /// Source: RFC 8489 section 14.3.
    package static let usernameLimit = 508
    static let fingerprintMask: UInt32 = 0x5354_554e
    static let codeBytes = 20

    package let kind: Kind
    /// 1 is Binding, the only one that ICE has.
    package let method: UInt16
    package let transaction: TransactionID
    /// Where USERNAME lies.
    package private(set) var username: Range<Int>?
    package private(set) var priority: UInt32?
    package private(set) var hasUseCandidate = false
    /// The tie-breaker of who believes to be controlling.
    package private(set) var controlling: UInt64?
    /// The tie-breaker of who believes to be controlled.
    package private(set) var controlled: UInt64?
    /// 300...699.
    package private(set) var errorCode: Int?
    /// There are attributes that must be understood and are not: `unknownAttributes` lists them.
    package private(set) var hasUnknownAttributes = false
    /// Where XOR-MAPPED-ADDRESS lies.
    private var mapped: Range<Int>?
    /// Where the attribute MESSAGE-INTEGRITY begins.
    private var integrity: Int?
    /// Where the attribute FINGERPRINT begins.
    private var fingerprint: Int?

    package static let binding: UInt16 = 1

    package var isSigned: Bool { integrity != nil }
    package var hasFingerprint: Bool { fingerprint != nil }

    /// nil for what is no STUN message of exactly these bytes: other first bits, another cookie, a length that is not theirs or no multiple of 4,
    /// an attribute that reaches over the end or has not its size, or anything behind FINGERPRINT.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.headerBytes, bytes[0] & 0xc0 == 0, bytes.u32(4) == Self.cookie else { return nil }
        let length = Int(bytes.u16(2))
        guard length & 3 == 0, length == bytes.count - Self.headerBytes else { return nil }
        let type = bytes.u16(0)
        // The two bits of the class stand between those of the method.
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: type >> 7 & 2 | type >> 4 & 1)) else { return nil }
        self.kind = kind
        method = type & 0xf | type >> 1 & 0x70 | type >> 2 & 0xf80
        transaction = TransactionID(high: bytes.u32(8), low: bytes.u64(12))
        var index = Self.headerBytes
        while index < bytes.count {
            let start = index + 4
            let end = start + Int(bytes.u16(index + 2))
            index = (end + 3) & ~3
            guard index <= bytes.count, fingerprint == nil, take(bytes.u16(start - 4), start..<end, bytes) else { return nil }
        }
    }

    /// - Returns: false where the attribute has not the size it must have.
    private mutating func take(_ type: UInt16, _ value: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        let attribute = STUNAttribute(rawValue: type)
        guard integrity == nil || attribute == .fingerprint else { return true }
        switch attribute {
        case .username:
            guard value.count <= Self.usernameLimit else { return false }
            username = username ?? value
        case .messageIntegrity:
            guard value.count == Self.codeBytes else { return false }
            integrity = value.lowerBound - 4
        case .fingerprint:
            guard value.count == 4 else { return false }
            fingerprint = value.lowerBound - 4
        case .errorCode: return takeError(value, bytes)
        case .xorMappedAddress: mapped = mapped ?? value
        case .priority, .useCandidate, .iceControlled, .iceControlling: return takeCheck(attribute, value, bytes)
        case .mappedAddress, .unknownAttributes, .realm, .nonce, .messageIntegritySHA256, .passwordAlgorithm, .userHash, .software: break
        case nil: if STUNAttribute.mustBeUnderstood(type) { hasUnknownAttributes = true }
        }
        return true
    }

    /// Source: RFC 8445 section 16.1.
    private mutating func takeCheck(_ attribute: STUNAttribute?, _ value: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        switch attribute {
        case .priority:
            guard value.count == 4 else { return false }
            priority = priority ?? bytes.u32(value.lowerBound)
        case .useCandidate:
            guard value.isEmpty else { return false }
            hasUseCandidate = true
        case .iceControlled:
            guard value.count == 8 else { return false }
            controlled = controlled ?? bytes.u64(value.lowerBound)
        default:
            guard value.count == 8 else { return false }
            controlling = controlling ?? bytes.u64(value.lowerBound)
        }
        return true
    }

    /// Source: RFC 8489 section 14.8.
    private mutating func takeError(_ value: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard value.count >= 4 else { return false }
        let (hundreds, rest) = (Int(bytes[value.lowerBound + 2] & 7), Int(bytes[value.lowerBound + 3]))
        guard (3...6).contains(hundreds), rest < 100 else { return false }
        errorCode = errorCode ?? hundreds * 100 + rest
        return true
    }

    /// Whether FINGERPRINT is there and is that of the bytes before it.
    package func hasGoodFingerprint(_ bytes: Span<UInt8>) -> Bool {
        guard let fingerprint, fingerprint + 8 <= bytes.count else { return false }
        return bytes.u32(fingerprint + 4) == CRC32.of(bytes, count: fingerprint) ^ Self.fingerprintMask
    }

    /// Whether MESSAGE-INTEGRITY is there and is that of the bytes before it, with the length that the message has up to its end.
    /// Source: RFC 8489 section 14.5.
    package func isAuthentic(_ bytes: Span<UInt8>, _ code: IntegrityCode) -> Bool {
        guard let integrity, integrity <= bytes.count else { return false }
        var covered: [UInt8] = []
        covered.reserveCapacity(integrity)
        for index in 0..<integrity { covered.append(bytes[index]) }
        covered.setLength(integrity + 4 + Self.codeBytes - Self.headerBytes)
        return isEqual(code(covered), bytes, at: integrity + 4)
    }

    /// The address of XOR-MAPPED-ADDRESS; nil where there is none or it has not the size of its family. Source: RFC 8489 section 14.2.
    package func mappedAddress(_ bytes: Span<UInt8>) -> MappedAddress? {
        guard let mapped, mapped.count >= 4, mapped.upperBound <= bytes.count else { return nil }
        let start = mapped.lowerBound
        let count = bytes[start + 1] == 1 ? 4 : 16
        guard bytes[start + 1] == 1 || bytes[start + 1] == 2, mapped.count == 4 + count else { return nil }
        // The mask is the cookie and the transaction, as they stand in the header.
        var address: [UInt8] = []
        for offset in 0..<count { address.append(bytes[start + 4 + offset] ^ bytes[4 + offset]) }
        return MappedAddress(address, port: bytes.u16(start + 2) ^ bytes.u16(4))
    }

    /// The types that must be understood and are not, each once, in their order and at most `limit`.
    package func unknownAttributes(_ bytes: Span<UInt8>, limit: Int) -> [UInt16] {
        var types: [UInt16] = []
        var index = Self.headerBytes
        while index + 4 <= min(bytes.count, integrity ?? .max), types.count < limit {
            let type = bytes.u16(index)
            if STUNAttribute.mustBeUnderstood(type), !types.contains(type) { types.append(type) }
            index = (index + 4 + Int(bytes.u16(index + 2)) + 3) & ~3
        }
        return types
    }
}

extension Span<UInt8> {
    func u16(_ index: Int) -> UInt16 { UInt16(self[index]) << 8 | UInt16(self[index + 1]) }
    func u32(_ index: Int) -> UInt32 { UInt32(u16(index)) << 16 | UInt32(u16(index + 2)) }
    func u64(_ index: Int) -> UInt64 { UInt64(u32(index)) << 32 | UInt64(u32(index + 4)) }
}

extension [UInt8] {
    /// Writes the header's length: the bytes behind the header.
    mutating func setLength(_ length: Int) {
        self[2] = UInt8(truncatingIfNeeded: length >> 8)
        self[3] = UInt8(truncatingIfNeeded: length)
    }
}
