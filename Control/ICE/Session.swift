import BondWire
import STUN

/// The credentials of ours that a check may name, and the fragment that the other end has beside them.
struct LocalCredentials {
    let ufrag: [UInt8]
    /// nil until its description came: its checks may come before.
    var remote: [UInt8]?
    /// Of the other end's password: it signs our questions and proves its answers; nil where it is not known.
    var remoteCode: IntegrityCode?
    /// Of our password: it proves the other end's checks and our answers.
    let code: IntegrityCode
    /// The restart with which they came: 0 for the first.
    let generation: Int
    /// When they are no longer good; nil while nobody has used newer ones.
    var ends: Microseconds?

    /// Whether a USERNAME is `ours:theirs`. Source: RFC 8445 section 7.2.2.
    func isMeant(by bytes: Span<UInt8>, _ username: Range<Int>) -> Bool {
        let colon = username.lowerBound + ufrag.count
        guard colon < username.upperBound, bytes[colon] == UInt8(ascii: ":") else { return false }
        for (offset, character) in ufrag.enumerated() where bytes[username.lowerBound + offset] != character { return false }
        guard let remote else { return true }
        guard username.upperBound - colon - 1 == remote.count else { return false }
        for (offset, character) in remote.enumerated() where bytes[colon + 1 + offset] != character { return false }
        return true
    }
}

/// A path by which an authentic check came.
struct Tuple {
    let path: Path
    /// When something authentic came over it last: a check or media.
    var heard: Microseconds
    /// When media came over it last.
    var used: Microseconds?
    /// When it was nominated last.
    var nominated: Microseconds?
    /// The credentials of the last check over it.
    var generation = 0
    /// Nothing authentic came over it for `Limits.silence`.
    var isSilent = false
    var allowance = PathAllowance()
    /// Our question whether it leads back, and when it was asked last; nil before the first.
    var question: TransactionID?
    var asked: Microseconds?
}

/// One session: its credentials, its paths, and which of them the media take. No clock.
struct Session {
    /// Of one that was restarted twice before the other end used the first: more are never of use.
    private static let credentialLimit = 3

    let number: SessionNumber
    /// The oldest first; never empty.
    private(set) var credentials: [LocalCredentials]
    /// Bounded by `Limits.paths`.
    private(set) var tuples: [Tuple] = []
    /// The path of the media, as an index of `tuples`.
    private(set) var selected: Int?
    private var selectedSince: Microseconds = 0
    /// The newest generation that nominated.
    private var nominating = 0
    /// When something authentic came last, or the session began.
    private var heard: Microseconds
    private var isQuiet = false
    private var recent = RecentChecks()
    private var second: Microseconds = -1
    private var answers = 0
    private var handshake = Handshake.none

    /// Where our side of the handshake of DTLS went, before it was done.
    private enum Handshake {
        case none
        case over(Path)
        case spread
        case done
    }

    init(_ number: SessionNumber, _ credentials: LocalCredentials, at now: Microseconds) {
        self.number = number
        self.credentials = [credentials]
        heard = now
    }

    var destination: Path? { selected.map { tuples[$0].path } }
    var generation: Int { credentials.last?.generation ?? 0 }
    var hasShakenHands: Bool { if case .done = handshake { true } else { false } }

    // MARK: - Credentials

    /// The credentials that a USERNAME names, as an index.
    func meant(by bytes: Span<UInt8>, _ username: Range<Int>, at now: Microseconds) -> Int? {
        for index in credentials.indices where credentials[index].isMeant(by: bytes, username) {
            if let ends = credentials[index].ends, now >= ends { return nil }
            return index
        }
        return nil
    }

    mutating func learn(remote: [UInt8], _ code: IntegrityCode?) {
        credentials[credentials.count - 1].remote = remote
        credentials[credentials.count - 1].remoteCode = code
    }

    mutating func restart(_ new: LocalCredentials) {
        credentials.append(new)
        // Those that end are behind the other end already; else the oldest ones are in use, and newer ones may be on their way to it.
        if credentials.count > Self.credentialLimit { credentials.remove(at: credentials[0].ends == nil ? 1 : 0) }
    }

    // MARK: - Checks

    /// Counts an answer to an authentic check; false where there were enough in this second.
    mutating func mayAnswer(_ limit: Int, at now: Microseconds) -> Bool {
        if now / 1_000_000 != second { (second, answers) = (now / 1_000_000, 0) }
        guard answers < limit else { return false }
        answers += 1
        return true
    }

    func find(_ transaction: TransactionID, over path: Path) -> RecentChecks.Finding { recent.find(transaction, over: path) }

    /// An authentic check that came for the first time.
    /// - Returns: what it changed, and the path that had to make room for a new one.
    mutating func take(
        _ message: STUNMessage, _ credential: Int, over path: Path, _ limits: Limits, at now: Microseconds
    ) -> (change: Change?, evicted: Path?) {
        recent.insert(message.transaction, over: path)
        heard = now
        let generation = credentials[credential].generation
        for index in credentials.indices where credentials[index].generation < generation {
            credentials[index].ends = credentials[index].ends ?? now + limits.overlap
        }
        let (index, evicted) = place(path, limits, at: now)
        tuples[index].generation = generation
        // What is left over from before a restart keeps its path alive and takes the media nowhere.
        guard message.hasUseCandidate, generation >= nominating else { return (nil, evicted) }
        nominating = generation
        tuples[index].nominated = now
        // Source: RFC 8445 section 7.3.2: a lite agent selects what was nominated, at once.
        return (select(index, at: now), evicted)
    }

    private mutating func place(_ path: Path, _ limits: Limits, at now: Microseconds) -> (index: Int, evicted: Path?) {
        if let index = index(of: path) {
            hear(index, at: now)
            return (index, nil)
        }
        var evicted: Path?
        if tuples.count >= limits.paths {
            // The one of the media stays.
            let others = tuples.indices.filter { $0 != selected }
            if let quietest = others.min(by: { tuples[$0].heard < tuples[$1].heard }) {
                evicted = tuples[quietest].path
                drop(quietest)
            }
        }
        tuples.append(Tuple(path: path, heard: now))
        return (tuples.count - 1, evicted)
    }

    private mutating func select(_ index: Int, at now: Microseconds) -> Change? {
        guard index != selected else { return nil }
        let before = destination
        selected = index
        selectedSince = now
        return before.map { .moved(from: $0, to: tuples[index].path) } ?? .connected(tuples[index].path)
    }

    // MARK: - Media

    /// Something came over a path that only the other end could have made.
    mutating func use(_ path: Path, _ limits: Limits, at now: Microseconds) -> Change? {
        // Most come over the path of the media.
        if let selected, tuples[selected].path == path {
            mark(selected, at: now)
            return nil
        }
        guard let index = index(of: path) else { return nil }
        mark(index, at: now)
        guard let selected, now - max(tuples[selected].used ?? selectedSince, selectedSince) >= limits.patience else { return nil }
        return select(index, at: now)
    }

    private mutating func mark(_ index: Int, at now: Microseconds) {
        hear(index, at: now)
        tuples[index].used = now
    }

    /// Something authentic came.
    private mutating func hear(_ index: Int, at now: Microseconds) {
        heard = now
        tuples[index].heard = now
        tuples[index].isSilent = false
    }

    /// Most come over the path of the media, and go there.
    private func index(of path: Path) -> Int? {
        if let selected, tuples[selected].path == path { return selected }
        return tuples.firstIndex { $0.path == path }
    }

    /// Whether something authentic came over a path within `time`.
    func isAlive(_ path: Path, within time: Microseconds, at now: Microseconds) -> Bool {
        tuples.contains { $0.path == path && now - $0.heard < time }
    }

    // MARK: - What may go where

    /// Bytes came over a path, whatever they are.
    mutating func came(_ count: Int, over path: Path) {
        if let index = index(of: path) { tuples[index].allowance.came(count) }
    }

    /// An answer to a check goes out: it is never longer than the check, so there is room for it.
    mutating func answered(_ count: Int, over path: Path) {
        if let index = index(of: path) { _ = tuples[index].allowance.spend(count) }
    }

    /// Whether so many bytes that are no answer to a check may go over a path; if so, they are counted.
    mutating func spend(_ count: Int, over path: Path) -> Bool {
        guard let index = index(of: path), !tuples[index].isSilent, tuples[index].allowance.spend(count) else { return false }
        switch handshake {
        case .none: handshake = .over(path)
        case .over(let only): if only != path { handshake = .spread }
        case .spread, .done: break
        }
        return true
    }

    /// The handshake of DTLS was done by what came over a path: who sent that has read what we sent, which proves the path where all of it
    /// went there.
    mutating func shookHands(over path: Path, at now: Microseconds) {
        guard let index = index(of: path) else { return }
        if case .over(let only) = handshake, only == path { tuples[index].allowance.prove() }
        handshake = .done
        hear(index, at: now)
    }

    /// Asks whether the path of the media leads back.
    /// - Returns: nil where it is known, was asked just now, or cannot be asked.
    mutating func ask(_ limits: Limits, _ crypto: STUNCrypto, at now: Microseconds) -> Question? {
        guard let selected, !tuples[selected].allowance.isProven, !tuples[selected].isSilent else { return nil }
        if let asked = tuples[selected].asked, now - asked < limits.asking { return nil }
        let generation = tuples[selected].generation
        guard let credential = credentials.first(where: { $0.generation == generation }), let remote = credential.remote,
            let code = credential.remoteCode
        else { return nil }
        let transaction = tuples[selected].question ?? TransactionID(crypto)
        let question = Question(transaction, over: tuples[selected].path, from: credential.ufrag, to: remote, code)
        guard tuples[selected].allowance.spend(question.bytes.count) else { return nil }
        tuples[selected].question = transaction
        tuples[selected].asked = now
        return question
    }

    /// What proves the answer to the question that was asked over a path; nil where it was not.
    func code(of transaction: TransactionID, over path: Path) -> IntegrityCode? {
        guard let index = index(of: path), tuples[index].question == transaction else { return nil }
        return credentials.first { $0.generation == tuples[index].generation }?.remoteCode
    }

    /// The other end has read what we sent over a path.
    mutating func prove(_ path: Path, at now: Microseconds) {
        guard let index = index(of: path) else { return }
        tuples[index].allowance.prove()
        tuples[index].question = nil
        hear(index, at: now)
    }

    // MARK: - Time

    /// - Returns: what is over, and the paths that are this session's no longer. One that expired has to be closed.
    mutating func lapse(_ limits: Limits, at now: Microseconds) -> (lapses: [Lapse], lost: [Path]) {
        if now - heard >= limits.consent { return ([.expired(number)], tuples.map(\.path)) }
        credentials.removeAll { $0.ends.map { now >= $0 } ?? false }
        var lapses: [Lapse] = []
        if isQuiet != (now - heard >= limits.quiet) {
            isQuiet.toggle()
            lapses.append(isQuiet ? .quiet(number) : .back(number))
        }
        for index in tuples.indices { tuples[index].isSilent = now - tuples[index].heard >= limits.silence }
        // The common case allocates nothing.
        guard tuples.contains(where: { now - $0.heard >= limits.consent }) else { return (lapses, []) }
        let lost = tuples.filter { now - $0.heard >= limits.consent }.map(\.path)
        for path in lost {
            if let lapse = lose(path, at: now) { lapses.append(lapse) }
        }
        return (lapses, lost)
    }

    /// Forgets a path; where it was that of the media, the one that was nominated and heard last has its place.
    mutating func lose(_ path: Path, at now: Microseconds) -> Lapse? {
        guard let index = tuples.firstIndex(where: { $0.path == path }) else { return nil }
        let wasSelected = index == selected
        drop(index)
        guard wasSelected else { return nil }
        let rest = tuples.indices.filter { tuples[$0].nominated != nil }.max { tuples[$0].heard < tuples[$1].heard }
        if let rest { _ = select(rest, at: now) }
        return .moved(number, from: path, to: destination)
    }

    private mutating func drop(_ index: Int) {
        tuples.remove(at: index)
        guard let selected else { return }
        self.selected = selected == index ? nil : selected - (selected > index ? 1 : 0)
    }
}
