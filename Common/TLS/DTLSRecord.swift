/// A record of DTLS 1.2 as it lies in a datagram, as far as its head and its length tell. Source: RFC 6347 sections 4.1 and 4.2.2.
package struct DTLSRecord: Hashable, Sendable {
    package static let headerBytes = 13

    /// Of all that may begin a record.
    package enum Content: UInt8, Hashable, Sendable {
        case changeCipherSpec = 20
        case alert = 21
        case handshake = 22
        case application = 23
    }

    package let content: Content
    /// 0 before there are keys.
    package let epoch: UInt16
    /// In the datagram, head and all.
    package let range: Range<Int>

    /// An explicit nonce of 8 bytes and a tag of 16 around at least one byte (RFC 5288 section 3).
    private static let leastProtected = 25
    /// 2^14 bytes and what protection may add (RFC 6347 section 4.1).
    private static let mostBytes = 16_384 + 2_048
    private static let handshakeHeaderBytes = 12
    /// Of one message of the handshake; OpenSSL gives up for a longer one (SSL_CTX_set_max_cert_list).
    private static let mostMessageBytes = 16_384

    /// The records of a datagram that may be authentic, and nothing else of it.
    ///
    /// OpenSSL gives a whole session up for a protected record that is shorter than its nonce and tag (its issue 25290) or has nothing in
    /// it (27316), and for a fragment that ends behind its message: anyone who can forge the peer's address could do that with one
    /// datagram. Alerts without protection are left out too (RFC 6347 section 4.1.2.7): who cannot go on is noticed by the time limit.
    package static func sound(in datagram: [UInt8]) -> [DTLSRecord] {
        var records: [DTLSRecord] = []
        var start = 0
        while let record = DTLSRecord(datagram, at: start) {
            start = record.range.upperBound
            if record.isSound(datagram) { records.append(record) }
        }
        return records
    }

    /// nil where no whole record lies.
    private init?(_ datagram: [UInt8], at start: Int) {
        guard datagram.count - start > Self.headerBytes, let content = Content(rawValue: datagram[start]) else { return nil }
        // 1.0 in a first ClientHello, 1.2 else.
        guard datagram[start + 1] == 0xfe, datagram[start + 2] == 0xff || datagram[start + 2] == 0xfd else { return nil }
        let count = Int(datagram[start + 11]) << 8 | Int(datagram[start + 12])
        guard (1...Self.mostBytes).contains(count), datagram.count - start >= Self.headerBytes + count else { return nil }
        self.content = content
        epoch = UInt16(datagram[start + 3]) << 8 | UInt16(datagram[start + 4])
        range = start..<start + Self.headerBytes + count
    }

    private func isSound(_ datagram: [UInt8]) -> Bool {
        let count = range.count - Self.headerBytes
        guard epoch == 0 else { return count >= Self.leastProtected }
        switch content {
        case .changeCipherSpec: return count == 1 && datagram[range.lowerBound + Self.headerBytes] == 1
        case .handshake: return areFragmentsSound(datagram)
        case .alert, .application: return false
        }
    }

    /// One fragment behind the other up to the record's end, each within its message.
    private func areFragmentsSound(_ datagram: [UInt8]) -> Bool {
        func number(_ offset: Int) -> Int { Int(datagram[offset]) << 16 | Int(datagram[offset + 1]) << 8 | Int(datagram[offset + 2]) }
        var start = range.lowerBound + Self.headerBytes
        while start < range.upperBound {
            guard range.upperBound - start >= Self.handshakeHeaderBytes else { return false }
            let (message, offset, count) = (number(start + 1), number(start + 6), number(start + 9))
            guard message <= Self.mostMessageBytes, offset + count <= message, count > 0 || message == 0 else { return false }
            start += Self.handshakeHeaderBytes + count
        }
        return start == range.upperBound
    }
}
