import TLS

/// What a stranger says first: whatever is read of it is bounded, and what is known of its beginning stays true when more comes.
package func fuzzClientHello(_ bytes: [UInt8]) -> String? {
    let all = ClientHello.read(bytes)
    if let fault = violation(all, of: bytes.count) { return fault }
    for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 24)) {
        let part = ClientHello.read(Array(bytes[..<end]))
        if let fault = violation(part, of: end) { return fault }
        guard case .partial(let missing) = part else {
            if part != all { return "\(part) of \(end) bytes, and \(all) of \(bytes.count)" }
            continue
        }
        let early = end + missing - 1
        if early < bytes.count, case .whole = ClientHello.read(Array(bytes[..<early])) { return "\(missing) bytes missing of \(end)" }
    }
    return nil
}

private func violation(_ reading: ClientHello.Reading, of count: Int) -> String? {
    switch reading {
    case .partial(let missing):
        return missing >= 1 && count + missing <= ClientHello.mostBytes ? nil : "\(missing) bytes missing of \(count)"
    case .whole(let hello):
        if let name = hello.serverName, !(1...255).contains(name.utf8.count) || name != name.lowercased() { return "the name '\(name)'" }
        return hello.protocols.contains("") ? "a protocol without a name" : nil
    case .foreign: return nil
    }
}
