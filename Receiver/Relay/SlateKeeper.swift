import Logging
import MPEGTS
import Posix
import Wire

/// Has the slates of one stream made as its format changes, and again where that fails, for as long as one is wanted.
///
/// On the control loop, beside the stream: nothing waits for it.
actor SlateKeeper {
    private let maker: SlateMaker
    private let turns: SlateTurns
    /// The organisation's; nil: ours.
    private let picture: Result<OwnPicture, OwnPicture.Refusal>?
    private nonisolated let loop: Loop
    private let log: Log
    private let use: @Sendable (Slate) -> Void
    private let tell: @Sendable (String?) async -> Void
    /// What was encoded last has its price: nothing before.
    private var rested = Instant.now

    /// Between two looks whether it is its turn.
    private static let look: ClosedRange<Int> = 300...700
    /// Whoever waits for its turn longer says so.
    private static let patience: Duration = .seconds(5)

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - use: takes each slate that was made.
    ///   - tell: takes, for a person, why no picture can be shown, or not the one that is wanted; nil where all is as wanted.
    init(
        _ maker: SlateMaker, _ turns: SlateTurns, _ picture: Result<OwnPicture, OwnPicture.Refusal>?, loop: Loop, log: Log,
        use: @escaping @Sendable (Slate) -> Void, tell: @escaping @Sendable (String?) async -> Void
    ) {
        self.maker = maker
        self.turns = turns
        self.picture = picture
        self.loop = loop
        self.log = log
        self.use = use
        self.tell = tell
    }

    /// Until cancelled.
    func run(_ formats: AsyncStream<SlateFormat>) async {
        var keeping: Task<Void, Never>?
        for await format in formats {
            // What is encoded or waited for now would be like no stream.
            keeping?.cancel()
            await keeping?.value
            // try?: cancelled, it is another format's time.
            keeping = loop.spawn { _ = try? await self.keep(format) }
        }
        keeping?.cancel()
    }

    /// Until all is made that can be.
    ///
    /// - Throws: `CancellationError`.
    private func keep(_ format: SlateFormat) async throws {
        var wish = SlateWish(wantsOwn: picture != nil)
        var pause = SlatePause()
        while true {
            try await loop.sleep(for: max(.zero, rested - .now))
            try await attempt(&wish, format)
            await tell(wish.fault)
            guard !wish.left.isEmpty else { return }
            try await loop.sleep(for: pause.failed(jitter: .random(in: 0..<1)))
        }
    }

    /// Ours is there first, whatever becomes of the organisation's.
    private func attempt(_ wish: inout SlateWish, _ format: SlateFormat) async throws {
        let turn = try await turn(isFirst: wish.fault == nil)
        let began = Instant.now
        defer {
            turn?.release()
            // A sender that changes all the time has a quarter of a core at most, and one whose slate took long waits no longer than this.
            rested = .now + min((.now - began) * 3, .seconds(30))
        }
        for whose in wish.left {
            if let (words, isLasting) = try await make(whose, format) {
                wish.failed(whose, words, isLasting: isLasting)
            } else {
                wish.made(whose)
            }
        }
    }

    /// Waits until this host has room for one more encoder.
    ///
    /// - Parameter isFirst: nothing was told yet.
    private func turn(isFirst: Bool) async throws -> FolderLock? {
        let began = Instant.now
        var hasTold = !isFirst
        while true {
            if case .turn(let lock) = turns.take() { return lock }
            if !hasTold, .now - began > Self.patience {
                hasTold = true
                await tell("no picture can be shown while the sender is silent yet: those of other streams on the same host come first")
            }
            // A lock that is let go of is announced to nobody but who waits in flock(2), and that has no end that could be set.
            try await loop.sleep(for: .milliseconds(Int.random(in: Self.look)))
        }
    }

    /// - Returns: what is wrong, and whether it will stay so; nil where it is made.
    /// - Throws: `CancellationError`.
    private func make(_ whose: SlateWish.Whose, _ format: SlateFormat) async throws -> (String, isLasting: Bool)? {
        let began = Instant.now
        do {
            let slate = try await maker.make(format, whose == .ours ? nil : picture?.get(), on: loop)
            use(slate)
            let bytes = slate.pictures.reduce(0) { $0 + $1.count }
            log.notice(
                "slate is ready",
                ["picture": "\(whose)", "bytes": .integer(bytes), "took_ms": .integer((Instant.now - began).milliseconds)])
            return nil
        } catch {
            try Task.checkCancellation()
            log.warning("no slate for this stream", ["picture": "\(whose)", "error": "\(error)"])
            return ("\(error)", error is OwnPicture.Refusal || (error as? SlateMaker.Fault)?.isLasting == true)
        }
    }
}

/// Which pictures are to be made yet, and why those that should be there are not.
struct SlateWish: Equatable {
    enum Whose: String, CustomStringConvertible {
        case ours
        case organization = "the organisation's"
        var description: String { rawValue }
    }

    private let wantsOwn: Bool
    private(set) var left: [Whose]
    private var faults: [Whose: String] = [:]

    init(wantsOwn: Bool) {
        self.wantsOwn = wantsOwn
        left = wantsOwn ? [.ours, .organization] : [.ours]
    }

    /// Where the organisation's is there, ours is not wanted.
    mutating func made(_ whose: Whose) {
        left.removeAll { $0 == whose || whose == .organization }
        faults[whose] = nil
    }

    /// - Parameter isLasting: another try would end the same.
    mutating func failed(_ whose: Whose, _ words: String, isLasting: Bool) {
        if isLasting { left.removeAll { $0 == whose } }
        faults[whose] = words.bounded(to: 700) + (isLasting ? "" : "; it is tried again")
    }

    /// Why no picture can be shown, or not the one that is wanted, for a person; nil where nothing is known to be wrong.
    var fault: String? {
        guard wantsOwn else { return faults[.ours].map { "no picture can be shown while the sender is silent: \($0)" } }
        return faults[.organization].map { fault in
            "the organisation's picture cannot be shown: \(fault); \(faults[.ours] == nil ? "ours is shown instead" : "nor can ours")"
        }
    }
}
