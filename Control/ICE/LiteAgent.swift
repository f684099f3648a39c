package import BondWire
package import STUN
import Posix
package import Units

/// The ICE agent of one worker, for all its sessions and all its sockets: it answers checks and says which path a session's media take.
/// It looks for no paths itself: it is a lite agent, always controlled. Holds no clock and opens nothing; one thread.
///
/// A path is a session's only once a check came over it that the session's password signed, and it takes the media only by a nomination
/// or because media come over it. A check does not say where it was sent from: who records one on its way can send it from elsewhere, and
/// a participant can forge sources himself. A repeated one moves nothing, a path of another session that is alive is not taken, and media
/// that go on over the old path take a nomination back within `Limits.patience`. Until a path has shown that it leads back, by a handshake of
/// DTLS over it alone or by the answer to a `Question`, no more goes there than three times what came (`PathAllowance`); and to one from
/// which nothing authentic comes for `Limits.silence`, nothing goes.
///
/// Source: RFC 8445 (lite: sections 2.5, 7.3 and 8), RFC 7675, RFC 8489.
package struct LiteAgent {
    private let crypto: STUNCrypto
    private let limits: Limits
    private var sessions: [Session?] = []
    /// How many sessions a slot has had.
    private var turns: [UInt32] = []
    private var free: [Int] = []
    /// Only authentic checks put something in here: at most `Limits.paths` for each session.
    private var owners: [Path: SessionNumber] = [:]
    private var budget: AnswerBudget
    /// What checks have done to other sessions, for the next `advance`: one for each path that changed its owner.
    private var untold: [Lapse] = []

    package private(set) var figures = Figures()

    package init(_ crypto: STUNCrypto, limits: Limits = Limits()) {
        precondition((1...ICEText.slotLimit).contains(limits.sessions), "a user fragment has room for 18 bits of slot")
        precondition(limits.paths > 0, "a session needs a path")
        self.crypto = crypto
        self.limits = limits
        budget = AnswerBudget(limits)
    }

    /// The sessions that are open.
    package var count: Int { sessions.count - free.count }

    /// The paths that sessions have.
    package var pathCount: Int { owners.count }

    // MARK: - Sessions

    /// A new session with new credentials; nil where there are as many as there may be.
    package mutating func open(at now: Microseconds) -> (session: SessionNumber, credentials: Credentials)? {
        guard let slot = free.popLast() ?? newSlot() else { return nil }
        turns[slot] &+= 1
        let number = SessionNumber(slot: slot, turn: turns[slot])
        let (local, credentials) = makeCredentials(slot, generation: 0)
        sessions[slot] = Session(number, local, at: now)
        return (number, credentials)
    }

    /// The user fragment of the other end's description, which its checks must name from now on.
    /// - Parameter remotePassword: for questions of ours; without it none is asked.
    /// - Returns: false where the text is none, or there is no such session.
    package mutating func learn(_ number: SessionNumber, remoteUfrag: String, remotePassword: Secret? = nil) -> Bool {
        guard isOpen(number), ICEText.isUfrag(remoteUfrag) else { return false }
        let code = remotePassword.map { crypto.makeCode(Array($0.revealed.utf8)) }
        sessions[number.slot]?.learn(remote: Array(remoteUfrag.utf8), code)
        return true
    }

    /// New credentials for a session whose path, DTLS and SRTP stay; the old ones are good until `Limits.overlap` after the first check with new ones.
    /// What the other end's new fragment is has to be learnt again. Source: RFC 8445 section 9.
    /// - Returns: nil where there is no such session.
    package mutating func restart(_ number: SessionNumber) -> Credentials? {
        guard isOpen(number), let generation = sessions[number.slot]?.generation else { return nil }
        let (local, credentials) = makeCredentials(number.slot, generation: generation + 1)
        sessions[number.slot]?.restart(local)
        return credentials
    }

    /// Forgets a session and its paths: what comes for it from now on is a stranger's.
    package mutating func close(_ number: SessionNumber) {
        guard isOpen(number) else { return }
        for tuple in sessions[number.slot]?.tuples ?? [] { owners[tuple.path] = nil }
        sessions[number.slot] = nil
        free.append(number.slot)
    }

    private func isOpen(_ number: SessionNumber) -> Bool {
        sessions.indices.contains(number.slot) && sessions[number.slot]?.number == number
    }

    private mutating func newSlot() -> Int? {
        guard sessions.count < limits.sessions else { return nil }
        sessions.append(nil)
        turns.append(0)
        return sessions.count - 1
    }

    private func makeCredentials(_ slot: Int, generation: Int) -> (LocalCredentials, Credentials) {
        let ufrag = ICEText.ufrag(slot: slot, random: crypto.random(ICEText.randomCharacters))
        let password = ICEText.text(crypto.random(ICEText.passwordCharacters))
        let local = LocalCredentials(
            ufrag: ufrag, remote: nil, remoteCode: nil, code: crypto.makeCode(password), generation: generation, ends: nil)
        let text = String(decoding: password, as: UTF8.self)
        return (local, Credentials(ufrag: String(decoding: ufrag, as: UTF8.self), password: Secret(text)))
    }

    // MARK: - Paths

    /// Whose datagrams come over a path; nil for a stranger's, which nothing but `take` should see.
    package func session(by path: Path) -> SessionNumber? { owners[path] }

    /// Where a session's media go; nil until a path was nominated. What the handshake of DTLS answers before goes back where its question came from.
    package func destination(of number: SessionNumber) -> Path? {
        isOpen(number) ? sessions[number.slot]?.destination : nil
    }

    /// The paths of a session, each proven by a check.
    package func paths(of number: SessionNumber) -> [Path] {
        isOpen(number) ? sessions[number.slot]?.tuples.map(\.path) ?? [] : []
    }

    /// Media or their control came over a path and were authentic, and no repetition.
    /// - Returns: whether the session's media follow them there.
    @discardableResult
    package mutating func used(_ path: Path, by number: SessionNumber, at now: Microseconds) -> Change? {
        isOpen(number) ? sessions[number.slot]?.use(path, limits, at: now) : nil
    }

    /// A datagram that is no check came over a path, whatever it is: three times as much may go back there.
    /// - Returns: whose path it is; nil for a stranger's, whose datagram nobody should look at.
    package mutating func came(_ count: Int, over path: Path) -> SessionNumber? {
        guard let number = owners[path] else { return nil }
        sessions[number.slot]?.came(count, over: path)
        return number
    }

    /// Whether so many bytes of a session, which are no answer to a check, may go over a path now; if so, they are counted.
    package mutating func maySend(_ count: Int, over path: Path, by number: SessionNumber) -> Bool {
        if isOpen(number), sessions[number.slot]?.spend(count, over: path) ?? false { return true }
        figures.withheld += 1
        return false
    }

    /// A datagram that came over a path was the end of the handshake of DTLS.
    package mutating func shookHands(over path: Path, by number: SessionNumber, at now: Microseconds) {
        if isOpen(number) { sessions[number.slot]?.shookHands(over: path, at: now) }
    }

    /// Asks whether the path of a session's media leads back; to be called after each of its checks.
    /// - Returns: nil where that is known, was asked just now, or cannot be asked.
    package mutating func question(of number: SessionNumber, at now: Microseconds) -> Question? {
        isOpen(number) ? sessions[number.slot]?.ask(limits, crypto, at: now) : nil
    }

    /// The questions that are due, of sessions whose handshake is done: before that the handshake needs what little may go.
    package mutating func questions(at now: Microseconds) -> [Question] {
        var questions: [Question] = []
        for slot in sessions.indices where sessions[slot]?.hasShakenHands ?? false {
            if let question = sessions[slot]?.ask(limits, crypto, at: now) { questions.append(question) }
        }
        return questions
    }

    /// A path is gone for good: a TCP connection was closed.
    package mutating func lose(_ path: Path, at now: Microseconds) -> Lapse? {
        owners.removeValue(forKey: path).flatMap { sessions[$0.slot]?.lose(path, at: now) }
    }

    /// What time has done; to be called some times a second. Its cost grows with the number of sessions, not with what they do.
    package mutating func advance(to now: Microseconds) -> [Lapse] {
        var all = untold
        untold.removeAll()
        for slot in sessions.indices {
            guard let (lapses, lost) = sessions[slot]?.lapse(limits, at: now) else { continue }
            for path in lost { owners[path] = nil }
            for lapse in lapses {
                all.append(lapse)
                if case .expired(let number) = lapse { close(number) }
            }
        }
        return all
    }

    // MARK: - Checks

    /// Takes a message whose first byte says that it is STUN: 0 to 3 (RFC 7983 section 7).
    package mutating func take(_ bytes: Span<UInt8>, from path: Path, at now: Microseconds) -> Step {
        let step = check(bytes, path, now)
        figures.count(step)
        return step
    }

    /// What costs little comes first: a stranger is refused by a look at an index, before any sum over his bytes.
    /// Order of the answers: RFC 8489 sections 6.3 and 9.1.3, then RFC 8445 section 7.3.1.
    private mutating func check(_ bytes: Span<UInt8>, _ path: Path, _ now: Microseconds) -> Step {
        guard let message = STUNMessage(bytes) else { return .refused(.malformed, answer: nil) }
        if message.kind == .success, message.method == STUNMessage.binding { return takeAnswer(message, bytes, path, now) }
        guard message.kind == .request, message.method == STUNMessage.binding else { return .refused(.notACheck, answer: nil) }
        guard let username = message.username, message.isSigned else { return refuse(.unsigned, .badRequest, message, bytes, path, now) }
        guard let slot = ICEText.slot(of: bytes, at: username.lowerBound), sessions.indices.contains(slot),
            let number = sessions[slot]?.number, let credential = sessions[slot]?.meant(by: bytes, username, at: now),
            let code = sessions[slot]?.credentials[credential].code
        else { return refuse(.unknownUser, .unauthenticated, message, bytes, path, now) }
        guard message.hasGoodFingerprint(bytes) else { return .refused(.badFingerprint, answer: nil) }
        guard message.isAuthentic(bytes, code) else { return refuse(.notAuthentic, .unauthenticated, message, bytes, path, now) }
        guard let finding = sessions[slot]?.find(message.transaction, over: path), finding != .elsewhere else {
            return .refused(.replayed, answer: nil)
        }
        if let owner = owners[path], owner != number, sessions[owner.slot]?.isAlive(path, within: limits.quiet, at: now) ?? false {
            return .refused(.pathTaken, answer: nil)
        }
        let mayAnswer = sessions[slot]?.mayAnswer(limits.answers, at: now) ?? false
        if let step = refuseSigned(message, bytes, code, mayAnswer) { return step }
        let change = finding == .new ? take(message, slot, credential, path, now) : nil
        let answer = mayAnswer ? success(message, bytes.count, path, code) : nil
        sessions[slot]?.came(bytes.count, over: path)
        if let answer { sessions[slot]?.answered(answer.count, over: path) }
        return .checked(number, answer: answer, change: change)
    }

    /// Who answers has read our question, where it was sent. Cheap things first here too: a path that is known, a question that was asked.
    private mutating func takeAnswer(_ message: STUNMessage, _ bytes: Span<UInt8>, _ path: Path, _ now: Microseconds) -> Step {
        guard let number = owners[path], let code = sessions[number.slot]?.code(of: message.transaction, over: path) else {
            return .refused(.notACheck, answer: nil)
        }
        guard message.isAuthentic(bytes, code) else { return .refused(.notAuthentic, answer: nil) }
        sessions[number.slot]?.prove(path, at: now)
        return .answered(number)
    }

    /// What is wrong with an authentic check.
    private func refuseSigned(_ message: STUNMessage, _ bytes: Span<UInt8>, _ code: IntegrityCode, _ mayAnswer: Bool) -> Step? {
        let refusal: Refusal
        let error: STUNErrorCode
        if message.hasUnknownAttributes {
            (refusal, error) = (.unknownAttributes, .unknownAttribute)
        } else if message.priority == nil || message.controlled != nil && message.controlling != nil {
            (refusal, error) = (.incomplete, .badRequest)
        } else if message.controlled != nil {
            (refusal, error) = (.roleConflict, .roleConflict)
        } else {
            return nil
        }
        guard mayAnswer else { return .refused(refusal, answer: nil) }
        var writer = STUNWriter(.failure, message.transaction)
        writer.append(error, unknown: message.unknownAttributes(bytes, limit: 8))
        return .refused(refusal, answer: noLonger(writer.finished(code), than: bytes.count))
    }

    private mutating func take(
        _ message: STUNMessage, _ slot: Int, _ credential: Int, _ path: Path, _ now: Microseconds
    ) -> Change? {
        guard let (change, evicted) = sessions[slot]?.take(message, credential, over: path, limits, at: now) else { return nil }
        if let evicted { owners[evicted] = nil }
        if let owner = owners.updateValue(numberOf(slot), forKey: path), owner.slot != slot,
            let lapse = sessions[owner.slot]?.lose(path, at: now)
        {
            untold.append(lapse)
        }
        return change
    }

    private func numberOf(_ slot: Int) -> SessionNumber { SessionNumber(slot: slot, turn: turns[slot]) }

    private func success(_ message: STUNMessage, _ limit: Int, _ path: Path, _ code: IntegrityCode) -> [UInt8]? {
        guard let address = MappedAddress(path.remote.bytes, port: UInt16(truncatingIfNeeded: path.remote.port)) else { return nil }
        var writer = STUNWriter(.success, message.transaction)
        writer.append(address)
        return noLonger(writer.finished(code), than: limit)
    }

    /// Without a key to sign by. It is for who has proven nothing: rarely, and only to whole messages.
    private mutating func refuse(
        _ refusal: Refusal, _ error: STUNErrorCode, _ message: STUNMessage, _ bytes: Span<UInt8>, _ path: Path, _ now: Microseconds
    ) -> Step {
        guard budget.mayAnswer(path.remote, at: now), message.hasGoodFingerprint(bytes) else { return .refused(refusal, answer: nil) }
        var writer = STUNWriter(.failure, message.transaction)
        writer.append(error)
        return .refused(refusal, answer: noLonger(writer.finished(), than: bytes.count))
    }

    /// Who forges a source makes us send no more than he does.
    private func noLonger(_ answer: [UInt8], than limit: Int) -> [UInt8]? { answer.count <= limit ? answer : nil }
}
