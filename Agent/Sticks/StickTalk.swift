import Wire

/// What one stick is asked, page by page, and what is known of it by that. Holds no clock and opens nothing.
///
/// Rounds: a session where it wants one, who it is (each twelfth time), status, signal, network, and its lock where its card may have one.
/// A session is kept as long as it is taken: a stick has few of them, and forgets each after five minutes without a question.
struct StickTalk: Sendable {
    enum Step: Equatable, Sendable {
        case ask(StickPage)
        /// The round is over: the next one after so long.
        case wait(Duration)
    }

    /// Named by the owner: it is shown, whatever answers.
    let isNamed: Bool
    private(set) var session: Session?
    private var left: [StickPage] = []
    private var rounds = 0
    /// Rounds in a row without an answer.
    private var misses = 0
    /// It has spoken as these sticks do.
    private(set) var isProven = false
    /// Its firmware has none.
    private var isWithoutSession = false
    /// In this round.
    private var hasRenewed = false
    private var reading = StickReading()
    /// Pages that want a login.
    private var closedTo: Set<StickPage> = []
    /// Why the last round has no answer.
    private var trouble: String?
    /// Nobody answered at all, where another than a stick would have.
    private var isSilent = false
    /// A round is under way.
    private(set) var isOpen = false
    /// In this round something was answered as sticks answer.
    private var hasAnswered = false

    /// What signs a question, as the stick gave it.
    struct Session: Equatable, Sendable {
        let cookie: String
        let token: String

        /// - Returns: nil for an answer that has none, or one that cannot be said again.
        init?(_ answer: StickAnswer) {
            guard case .values(let values) = answer, let info = values["SesInfo"], !info.isEmpty,
                info.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ";") })
            else { return nil }
            // Some firmware gives the value alone.
            cookie = info.hasPrefix("SessionID=") ? info : "SessionID=\(info)"
            token = values["TokInfo"] ?? ""
        }
    }

    /// Between two rounds. What they carry goes over the stick's interface, and is not the card's: `OwnTraffic`.
    static let pause = Duration.seconds(20)
    /// After a round without an answer; doubled with each more.
    private static let retryPause = Duration.seconds(5)
    /// Of what is no stick, or does not answer for long.
    static let longPause = Duration.seconds(300)
    private static let missPause = Duration.seconds(60)
    /// Rounds without an answer that say nothing yet: sticks pause while they change cells.
    static let missLimit = 3
    private static let informationEvery = 6

    init(isNamed: Bool) { self.isNamed = isNamed }

    /// The next question; `take` gets what came of it.
    mutating func next() -> Step {
        guard isOpen else {
            isOpen = true
            (hasRenewed, hasAnswered) = (false, false)
            left = (session == nil && !isWithoutSession ? [.session] : []) + (rounds % Self.informationEvery == 0 ? [.information] : [])
            left += [.status, .signal, .network]
            rounds += 1
            return next()
        }
        if let page = left.first { return .ask(page) }
        isOpen = false
        guard misses > 0 else { return .wait(Self.pause) }
        let doubled = Self.retryPause * (1 << min(misses - 1, 6))
        return .wait(min(doubled, isProven ? Self.missPause : Self.longPause))
    }

    /// The interface has no gateway, or none that could be a stick's.
    mutating func unreachable(_ reason: String) {
        if !isOpen { _ = next() }
        miss(reason, isSilent: true)
    }

    mutating func take(_ answer: StickAnswer) {
        guard let page = left.first else { return }
        left.removeFirst()
        switch answer {
        case .values(let values):
            if page == .session { return begin(values) }
            proven()
            closedTo.remove(page)
            keep(values, of: page)
            if page == .status { askOfLock() }
        case .text: keep([:], of: page)
        case .failure(let error): refused(error, page)
        case .foreign(let words): foreign(words, page)
        case .closed(let reason): miss(reason, isSilent: false)
        case .silent(let reason): miss(reason, isSilent: true)
        }
    }

    private mutating func askOfLock() {
        guard !reading.mayBeLocked else { return left.append(.pin) }
        reading.pin = [:]
        closedTo.remove(.pin)
    }

    private mutating func foreign(_ words: String, _ page: StickPage) {
        // Firmware that is old has less pages.
        if hasAnswered { return keep([:], of: page) }
        guard page == .session else { return miss("what answers does not speak as HiLink sticks do (\(words))", isSilent: false) }
        isWithoutSession = true
        left.removeAll { $0 == .information }
    }

    private mutating func begin(_ values: [String: String]) {
        proven()
        session = Session(.values(values))
        isWithoutSession = session == nil
    }

    private mutating func proven() {
        (isProven, hasAnswered) = (true, true)
        misses = 0
        trouble = nil
    }

    private mutating func refused(_ error: StickError, _ page: StickPage) {
        // Whoever refuses with an error of theirs is one of them.
        proven()
        if page == .session {
            // Firmware before 2014 has none.
            isWithoutSession = error.isUnsupported
            return
        }
        if error.wantsSession, !hasRenewed {
            hasRenewed = true
            session = nil
            isWithoutSession = false
            left = [.session, page] + left
            return
        }
        if error.wantsLogin { closedTo.insert(page) }
        // Busy: what it said before still stands.
        if error.code != 100_004 { keep([:], of: page) }
    }

    private mutating func keep(_ values: [String: String], of page: StickPage) {
        switch page {
        case .information: reading.information = values
        case .status: reading.status = values
        case .signal: reading.signal = values
        case .network: reading.network = values
        case .pin: reading.pin = values
        case .session, .control: break
        }
    }

    /// The round has no answer, and the rest of it would have none.
    private mutating func miss(_ reason: String, isSilent: Bool) {
        left = []
        misses = min(misses + 1, 100)
        trouble = reason
        self.isSilent = isSilent
        isWithoutSession = false
        guard misses >= Self.missLimit else { return }
        // Who it is stays known: its card is what is accounted for.
        let information = reading.information
        reading = StickReading()
        reading.information = information
        // What comes next is another boot of it.
        (session, rounds) = (nil, 0)
    }

    /// An order was given: what is known of its session is over.
    mutating func restarted() { session = nil }

    // MARK: What is shown

    var simNumber: String? { reading.simNumber }

    /// - Parameter address: of its page, for what a person is to do.
    /// - Returns: nil while nothing shows that there is a stick.
    func figures(link: String, address: String?) -> ModemTelemetry? {
        guard isProven || misses > 0 && isNamed || misses >= Self.missLimit && isSilent else { return nil }
        var figures = reading.figures(link: link)
        let page = address.map { "http://\($0)" } ?? "its page"
        if misses >= Self.missLimit || !isProven {
            figures.state = .failed
            figures.reason = "it does not answer at \(page): \(trouble ?? "no answer"); plug it out and in again where that lasts".bounded(
                to: 256)
        } else if !closedTo.isEmpty {
            let words = reading.status.isEmpty ? "it asks for a login and shows nothing" : "it asks for a login and shows only a part"
            figures.reason = [figures.reason, "\(words): switch the login of its page \(page) off"].compactMap { $0 }.joined(
                separator: "; ")
            if reading.status.isEmpty { figures.state = .starting }
        }
        return figures
    }
}
