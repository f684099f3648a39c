/// Writes one STUN message: its attributes in the order in which they are added, then what proves it. Source: RFC 8489 sections 5 and 14.
package struct STUNWriter {
    private var bytes: [UInt8]

    package init(_ kind: STUNMessage.Kind, _ transaction: TransactionID, method: UInt16 = STUNMessage.binding) {
        let spread = method & 0xf | (method & 0x70) << 1 | (method & 0xf80) << 2
        let type = spread | UInt16(kind.rawValue & 1) << 4 | UInt16(kind.rawValue & 2) << 7
        bytes = []
        // A success over IPv6 has 76 bytes, a check of a browser about 120.
        bytes.reserveCapacity(160)
        bytes.append(type)
        bytes.append(0 as UInt16)
        bytes.append(STUNMessage.cookie)
        bytes += transaction.bytes
    }

    /// - Parameter padding: of the byte with which it is filled up to a multiple of 4: any will do (RFC 8489 section 14).
    package mutating func append(_ type: UInt16, _ value: [UInt8], padding: UInt8 = 0) {
        bytes.append(type)
        bytes.append(UInt16(truncatingIfNeeded: value.count))
        bytes += value
        bytes += repeatElement(padding, count: -value.count & 3)
    }

    package mutating func append(_ attribute: STUNAttribute, _ value: [UInt8] = []) { append(attribute.rawValue, value) }

    package mutating func append(_ attribute: STUNAttribute, _ value: UInt32) {
        append(attribute, (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
    }

    package mutating func append(_ attribute: STUNAttribute, _ value: UInt64) {
        append(attribute, (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) })
    }

    /// XOR-MAPPED-ADDRESS. Source: RFC 8489 section 14.2.
    package mutating func append(_ address: MappedAddress) {
        let port = address.port ^ UInt16(truncatingIfNeeded: STUNMessage.cookie >> 16)
        let head = [0, address.bytes.count == 4 ? 1 : 2, UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)]
        append(.xorMappedAddress, head + address.bytes.indices.map { address.bytes[$0] ^ bytes[4 + $0] })
    }

    /// ERROR-CODE, and UNKNOWN-ATTRIBUTES where there are any. Source: RFC 8489 sections 14.8 and 14.9.
    package mutating func append(_ code: STUNErrorCode, unknown: [UInt16] = []) {
        append(.errorCode, [0, 0, UInt8(code.rawValue / 100), UInt8(code.rawValue % 100)] + Array(code.reason.utf8))
        if !unknown.isEmpty {
            append(.unknownAttributes, unknown.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] })
        }
    }

    /// The message with MESSAGE-INTEGRITY and FINGERPRINT behind it.
    package consuming func finished(_ code: IntegrityCode) -> [UInt8] {
        sign(code)
        return finished()
    }

    /// The message with FINGERPRINT behind it.
    package consuming func finished() -> [UInt8] {
        bytes.setLength(bytes.count + 8 - STUNMessage.headerBytes)
        let check = CRC32.of(bytes.span, count: bytes.count) ^ STUNMessage.fingerprintMask
        append(.fingerprint, check)
        return bytes
    }

    /// Adds MESSAGE-INTEGRITY over what is there.
    package mutating func sign(_ code: IntegrityCode) {
        bytes.setLength(bytes.count + 4 + STUNMessage.codeBytes - STUNMessage.headerBytes)
        append(.messageIntegrity, code(bytes))
    }

    /// The message as it is, without a FINGERPRINT.
    package consuming func bare() -> [UInt8] {
        bytes.setLength(bytes.count - STUNMessage.headerBytes)
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    fileprivate mutating func append(_ value: UInt32) {
        append(UInt16(truncatingIfNeeded: value >> 16))
        append(UInt16(truncatingIfNeeded: value))
    }
}
