import BondWire
import ICE
import Posix
import STUN
import Units

/// Under a key that a corpus can know.
private func code(_ message: [UInt8]) -> [UInt8] { STUNCrypto.openSSL.makeCode([UInt8](repeating: 7, count: 22))(message) }
private let transaction = TransactionID(high: 1, low: 2)

/// A STUN message as it came, and one whose attributes the input lists (two bytes of type, one of length, the value): it is read back, it
/// is authentic, and with any one bit changed it is not.
package func fuzzSTUN(_ bytes: [UInt8]) -> String? {
    if let read = STUNMessage(bytes.span) {
        if let username = read.username, !(20...bytes.count).contains(username.upperBound) { return "a username outside of the message" }
        let unknown = read.unknownAttributes(bytes.span, limit: .max)
        if unknown.isEmpty == read.hasUnknownAttributes { return "unknown attributes that are not listed" }
        let again = STUNWriter(read.kind, read.transaction, method: read.method).bare()
        if again[0..<2] != bytes[0..<2] || again[4...] != bytes[4..<20] { return "a header that is other bytes again" }
        if let address = read.mappedAddress(bytes.span), ![4, 16].contains(address.bytes.count) { return "an address of another size" }
        if read.isAuthentic(bytes.span, code), !read.isSigned { return "authentic without a code" }
        _ = read.hasGoodFingerprint(bytes.span)
    }
    var input = bytes[...]
    var writer = STUNWriter(.request, transaction)
    var first: [UInt16: [UInt8]] = [:]
    while input.count >= 3 {
        let (type, length) = (UInt16(input.removeFirst()) << 8 | UInt16(input.removeFirst()), Int(input.removeFirst()))
        let value = Array(input.prefix(length))
        input = input.dropFirst(length)
        // What ends the attributes is written below.
        guard type != STUNAttribute.messageIntegrity.rawValue, type != STUNAttribute.fingerprint.rawValue else { continue }
        writer.append(type, value)
        first[type] = first[type] ?? value
    }
    let signed = writer.finished(code)
    guard let read = STUNMessage(signed.span) else { return nil }
    if read.username.map({ Array(signed[$0]) }) != first[STUNAttribute.username.rawValue] { return "another username" }
    if read.hasUseCandidate != (first[STUNAttribute.useCandidate.rawValue] != nil) { return "another nomination" }
    if read.hasUnknownAttributes != first.keys.contains(where: STUNAttribute.mustBeUnderstood) { return "other unknown attributes" }
    if !read.isAuthentic(signed.span, code) || !read.hasGoodFingerprint(signed.span) { return "a message of ours that is not authentic" }
    var changed = signed
    let bit = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } % (signed.count * 8)
    changed[bit / 8] ^= 1 << (bit % 8)
    guard let other = STUNMessage(changed.span) else { return nil }
    return other.isAuthentic(changed.span, code) && other.hasGoodFingerprint(changed.span) ? "a changed message that is authentic" : nil
}

/// The input is a script for an agent with a few sessions and paths: checks that are good, wrong, repeated and foreign, restarts, media,
/// time. Whatever is refused moves nothing, answers are no longer than their questions, each path has one owner, and over one that has not
/// shown that it leads back goes at most three times what came.
package func fuzzICE(_ bytes: [UInt8]) -> String? {
    var script = ICEScript(bytes)
    while let violation = script.next() {
        if !violation.isEmpty { return violation }
    }
    return violationOfFrames(bytes)
}

/// The same stream whole and in two pieces.
private func violationOfFrames(_ bytes: [UInt8]) -> String? {
    func frames(_ pieces: [Int]) -> (lengths: [Int], isGood: Bool) {
        var reader = StreamFrames(limit: 64)
        var lengths: [Int] = []
        var isGood = true
        var start = 0
        for end in pieces + [bytes.count] {
            isGood = reader.take(bytes.span.extracting(start..<end)) { lengths.append($0.count) }
            if reader.heldBytes > 66 { return ([-1], false) }
            start = end
        }
        return (lengths, isGood)
    }
    let whole = frames([])
    if whole.lengths == [-1] { return "more held back than a datagram" }
    return whole == frames([Int(bytes.first ?? 0) % (bytes.count + 1)]) ? nil : "frames that depend on where the stream is cut"
}

private struct ICEScript {
    private struct Peer {
        var session: SessionNumber
        var credentials: Credentials
        var code: IntegrityCode
    }

    private var input: ArraySlice<UInt8>
    private var agent: LiteAgent
    private var peers: [Peer] = []
    private var now: Microseconds = 0
    private var transactions: UInt64 = 0
    private var last: [UInt8] = []
    private var asked: Question?
    /// All have one transaction: what nobody foretells is the same here each time.
    private var questioned: Set<Path> = []
    private var ledgers: [SessionNumber: [Path: Ledger]] = [:]
    private static let pathLimit = 3
    /// Of the other ends that tell us their password.
    private static func theirs(_ message: [UInt8]) -> [UInt8] { STUNCrypto.openSSL.makeCode(Array("them".utf8))(message) }

    /// Bytes over a path of a session.
    private struct Ledger {
        var came = 0
        var went = 0
        var isProven = false
    }

    init(_ bytes: [UInt8]) {
        input = bytes[...]
        var limits = Limits()
        limits.sessions = 3
        limits.paths = Self.pathLimit
        // The same fragments and passwords each time, so that a corpus can know them.
        let crypto = STUNCrypto(random: { [UInt8](repeating: UInt8($0), count: $0) }, makeCode: STUNCrypto.openSSL.makeCode)
        agent = LiteAgent(crypto, limits: limits)
        for _ in 0..<2 { open() }
    }

    /// - Returns: nil at the end, an empty text where all held.
    mutating func next() -> String? {
        guard let operation = byte() else { return nil }
        let path = Path(socket: UInt32(operation >> 7), remote: .loopback(port: 1 + Int(byte() ?? 0) % 8))
        let index = Int(operation >> 3) % max(peers.count, 1)
        switch operation & 7 {
        case 0:
            let count = Int(byte() ?? 0)
            let message = Array(input.prefix(count))
            input = input.dropFirst(count)
            return take(message, path)
        case 1, 2: return peers.isEmpty ? "" : take(check(peers[index], isGood: operation & 7 == 1, nominates: operation & 0x40 != 0), path)
        case 3: if !peers.isEmpty { restart(index) }
        case 4:
            if peers.isEmpty { break }
            if operation & 0x40 != 0 { spend(peers[index].session, path) } else { agent.used(path, by: peers[index].session, at: now) }
        case 5: if operation & 0x40 != 0, !peers.isEmpty { ask(peers[index].session) } else { advance() }
        case 6: if peers.isEmpty || operation & 0x40 != 0 { open() } else { agent.close(peers.remove(at: index).session) }
        default:
            guard operation & 0x40 != 0 else { return operation & 0x20 != 0 ? answer(path) : take(last, path) }
            _ = agent.lose(path, at: now)
        }
        return violation() ?? ""
    }

    private mutating func byte() -> UInt8? { input.popFirst() }

    private mutating func open() {
        guard let (session, credentials) = agent.open(at: now) else { return }
        let code = STUNCrypto.openSSL.makeCode(Array(credentials.password.revealed.utf8))
        // Of the others no description has come yet.
        if peers.count % 2 == 1 { _ = agent.learn(session, remoteUfrag: "them", remotePassword: Secret("them")) }
        peers.append(Peer(session: session, credentials: credentials, code: code))
    }

    /// Something comes that is no check, and something goes.
    private mutating func spend(_ session: SessionNumber, _ path: Path) {
        let (came, count) = (Int(byte() ?? 0), Int(byte() ?? 0) * 8)
        if let owner = agent.came(came, over: path) { ledgers[owner, default: [:]][path, default: Ledger()].came += came }
        if agent.maySend(count, over: path, by: session) { ledgers[session, default: [:]][path, default: Ledger()].went += count }
    }

    private mutating func ask(_ session: SessionNumber) {
        guard let question = agent.question(of: session, at: now) else { return }
        asked = question
        questioned.insert(question.path)
        ledgers[session, default: [:]][question.path, default: Ledger()].went += question.bytes.count
    }

    /// The answer to the last question, from wherever.
    private mutating func answer(_ path: Path) -> String {
        guard let asked, let read = STUNMessage(asked.bytes.span) else { return "" }
        let message = STUNWriter(.success, read.transaction).finished(Self.theirs)
        if case .answered(let session) = agent.take(message.span, from: path, at: now) {
            if !questioned.contains(path) { return "an answer that has proven a path without a question" }
            ledgers[session, default: [:]][path, default: Ledger()].isProven = true
        }
        return violation() ?? ""
    }

    private mutating func restart(_ index: Int) {
        guard let credentials = agent.restart(peers[index].session) else { return }
        peers[index].credentials = credentials
        _ = agent.learn(peers[index].session, remoteUfrag: "them", remotePassword: index % 2 == 1 ? Secret("them") : nil)
    }

    private mutating func advance() {
        now += Microseconds(byte() ?? 0) * 200_000
        for case .expired(let session) in agent.advance(to: now) { peers.removeAll { $0.session == session } }
    }

    /// A check; what the next bytes say is among its attributes.
    private mutating func check(_ peer: Peer, isGood: Bool, nominates: Bool) -> [UInt8] {
        transactions += 1
        var writer = STUNWriter(.request, TransactionID(high: 0, low: transactions))
        writer.append(.username, Array("\(peer.credentials.ufrag):them".utf8))
        if let type = byte(), type & 0x80 != 0 { writer.append(UInt16(byte() ?? 0), [UInt8](repeating: type, count: Int(type & 31))) }
        writer.append(.priority, 1 as UInt32)
        if nominates { writer.append(.useCandidate) }
        last = writer.finished(isGood ? peer.code : code)
        return last
    }

    private mutating func take(_ message: [UInt8], _ path: Path) -> String {
        let before = peers.map { (agent.destination(of: $0.session), agent.paths(of: $0.session)) }
        let step = agent.take(message.span, from: path, at: now)
        if let answer = step.answer {
            if answer.count > message.count { return "an answer longer than its question" }
            guard let read = STUNMessage(answer.span), read.hasGoodFingerprint(answer.span) else { return "an answer that is no message" }
        }
        switch step {
        case .refused:
            for (peer, before) in zip(peers, before)
            where agent.destination(of: peer.session) != before.0 || agent.paths(of: peer.session) != before.1 {
                return "a refused message that moved something"
            }
        case .checked(let session, let answer, _):
            ledgers[session, default: [:]][path, default: Ledger()].came += message.count
            ledgers[session, default: [:]][path, default: Ledger()].went += answer?.count ?? 0
            guard let read = STUNMessage(message.span), read.hasGoodFingerprint(message.span), read.isSigned else {
                return "a check without a code"
            }
            if !peers.contains(where: { $0.session == session }) { return "a check of a session that is closed" }
        // Nobody who has only what the input has can write one.
        case .answered: return "an answer without the password"
        }
        return violation() ?? ""
    }

    private mutating func violation() -> String? {
        var count = 0
        for peer in peers {
            let paths = agent.paths(of: peer.session)
            // What is lost and comes back begins again.
            ledgers[peer.session] = ledgers[peer.session]?.filter { paths.contains($0.key) }
            for ledger in (ledgers[peer.session] ?? [:]).values where !ledger.isProven && ledger.went > 3 * ledger.came {
                return "more than three times what came goes to who has shown nothing"
            }
            count += paths.count
            if paths.count > Self.pathLimit { return "more paths than are allowed" }
            if !paths.allSatisfy({ agent.session(by: $0) == peer.session }) { return "a path whose owner is another" }
            if let destination = agent.destination(of: peer.session), !paths.contains(destination) { return "media to a path that is none" }
        }
        if count != agent.pathCount { return "paths that nobody knows of" }
        return peers.count == agent.count ? nil : "sessions that nobody knows of"
    }
}
