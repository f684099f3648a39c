import TLS

/// 2026-11-23, in Unix seconds.
private let today: Int64 = 1_795_392_000

// Contexts are made once: what costs is the key.
private let ours = try? DTLSContext(at: today)
private let theirs = try? DTLSContext(at: today)

/// Datagrams, each behind its length in two bytes, to a server that waits for a ClientHello (where the first byte is even) or whose
/// handshake is done: nobody connects by them, and what is open stays open.
package func fuzzDTLS(_ bytes: [UInt8]) -> String? {
    guard let choice = bytes.first, let ours, let theirs else { return ours == nil ? "no context" : nil }
    guard let server = try? DTLSSession(ours, .server, peer: [theirs.fingerprint]),
        let client = try? DTLSSession(theirs, .client, peer: [ours.fingerprint])
    else { return "no session" }
    let datagrams = split(bytes.dropFirst())
    for datagram in datagrams {
        if let fault = violation(DTLSRecord.sound(in: datagram), of: datagram) { return fault }
    }
    var toServer = client.start(at: 0)
    _ = server.start(at: 0)
    if choice & 1 == 0 {
        for datagram in datagrams {
            for event in server.take(datagram, at: 0) {
                if case .connected = event { return "a connection with nobody" }
                if case .send(let answer) = event, answer.count > DTLSSession.datagramBytes { return "a datagram of \(answer.count) bytes" }
            }
        }
        return nil
    }
    while !toServer.isEmpty {
        let toClient = sent(toServer).flatMap { server.take($0, at: 0) }
        toServer = sent(toClient).flatMap { client.take($0, at: 0) }
    }
    for datagram in datagrams {
        for event in server.take(datagram, at: 0) {
            guard case .send = event else { return "\(event) by a datagram without keys" }
        }
    }
    let received = sent(client.send([7])).flatMap { server.take($0, at: 0) }
    return received == [.received([7])] ? nil : "a session that forged datagrams have ended"
}

private func violation(_ records: [DTLSRecord], of datagram: [UInt8]) -> String? {
    var end = 0
    for record in records {
        if record.range.lowerBound < end || record.range.upperBound > datagram.count { return "a record outside of its place" }
        if record.range.count <= DTLSRecord.headerBytes { return "an empty record" }
        if record.epoch == 0, record.content == .alert || record.content == .application { return "\(record.content) without protection" }
        end = record.range.upperBound
    }
    return nil
}

private func sent(_ events: [DTLSEvent]) -> [[UInt8]] {
    events.compactMap { event in
        if case .send(let datagram) = event { return datagram }
        return nil
    }
}

private func split(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
    var rest = bytes
    var datagrams: [[UInt8]] = []
    while rest.count >= 2 {
        let count = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
        datagrams.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
    }
    return datagrams
}
