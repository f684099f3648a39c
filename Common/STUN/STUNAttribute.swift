/// The attributes that are understood; to a number without a case the rule of its half applies. Source: RFC 8489 section 18.3 and RFC 8445 section 16.1.
package enum STUNAttribute: UInt16, Sendable {
    // Comprehension required.
    case mappedAddress = 0x0001
    case username = 0x0006
    case messageIntegrity = 0x0008
    case errorCode = 0x0009
    case unknownAttributes = 0x000a
    case realm = 0x0014
    case nonce = 0x0015
    case messageIntegritySHA256 = 0x001c
    case passwordAlgorithm = 0x001d
    case userHash = 0x001e
    case xorMappedAddress = 0x0020
    case priority = 0x0024
    case useCandidate = 0x0025
    // Comprehension optional.
    case software = 0x8022
    case fingerprint = 0x8028
    case iceControlled = 0x8029
    case iceControlling = 0x802a

    /// Who does not know an attribute of the lower half may not go on as if it were not there. Source: RFC 8489 section 14.
    package static func mustBeUnderstood(_ type: UInt16) -> Bool { type < 0x8000 && STUNAttribute(rawValue: type) == nil }
}

/// What is refused, with its number. Source: RFC 8489 section 14.8 and RFC 8445 section 16.2.
package enum STUNErrorCode: Int, Hashable, Sendable, CaseIterable {
    case badRequest = 400
    case unauthenticated = 401
    case unknownAttribute = 420
    case roleConflict = 487

    var reason: String {
        switch self {
        case .badRequest: "Bad Request"
        case .unauthenticated: "Unauthenticated"
        case .unknownAttribute: "Unknown Attribute"
        case .roleConflict: "Role Conflict"
        }
    }
}

/// 96 bits that a request and its answers have in common. Source: RFC 8489 section 5.
package struct TransactionID: Hashable, Sendable {
    package let high: UInt32
    package let low: UInt64

    package static let byteCount = 12

    package init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }

    package var bytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: high >> (24 - 8 * $0)) } + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
    }
}

/// A transport address as STUN writes it: 4 or 16 bytes in network order, and a port.
package struct MappedAddress: Hashable, Sendable {
    package let bytes: [UInt8]
    package let port: UInt16

    /// nil unless there are 4 or 16 bytes.
    package init?(_ bytes: [UInt8], port: UInt16) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
        self.port = port
    }
}
