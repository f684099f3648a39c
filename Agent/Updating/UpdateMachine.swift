package import Posix
package import Releases

/// What a board does about an update: a value without clock, disk, socket or log.
///
///     while true {
///         let step = machine.next(at: .now)
///         machine.finished(carry out(step), jitter: …, at: .now)
///     }
///
/// `offer`, `withdraw`, `goBack`, `report`, the settings and the pace may be told between any two calls, and have their effect with the
/// next step. What survives a loss of power is `journal`; a machine made from it goes on wherever the last one ended.
package struct UpdateMachine: Sendable {
    /// As it is on the disk, as far as is known.
    package private(set) var journal: UpdateJournal
    package private(set) var trust: ReleaseTrust
    package var settings: UpdateSettings
    package var pace: FetchPace

    /// To be done one after the other.
    private var plan: [UpdateStep] = []
    private var current: (step: UpdateStep, since: Instant)?
    private var wish: Wish?
    private var fetching: FetchCursor?
    private var proof: HealthProof?
    private var retry = Retry()
    private var presence: Presence
    /// The last report of the active version.
    private var lastGood: (report: AgentReport, at: Instant)?
    private var hasRestarted = false
    private var urgencyBack = Urgency.whenIdle
    /// Of the offer that is under way, where it came again; a start forgets it.
    private var hurried: Urgency?

    private enum Wish: Hashable, Sendable {
        case begin(UpdateJournal)
        case withdraw
        case goBack
    }

    /// A report that is older says nothing about what works now.
    private static let reportLife = Duration.seconds(60)
    private static let restartLimit = 5

    /// - Parameter linked: what the link points to; nil where that is neither slot.
    package init(_ journal: UpdateJournal, linked: Slot?, trust: ReleaseTrust, settings: UpdateSettings, pace: FetchPace, at now: Instant) {
        self.journal = journal
        self.trust = trust
        self.settings = settings
        self.pace = pace
        presence = Presence(at: now)
        guard case .proving(let start) = journal.phase else {
            enter(at: now)
            if journal.phase == .idle, linked != journal.active { plan = [.point(journal.active)] }
            return
        }
        if linked == journal.active {
            revert("going back had begun when the power went")
        } else if start >= settings.startLimit {
            revert("the power went, or the updater ended, \(start) times before it had shown that it works")
        } else {
            plan = [.store(journal.entering(.proving(start: start + 1)))]
        }
    }

    // MARK: What is told

    /// Takes a list of keys; see `ReleaseTrust.take`. One that was taken is to be kept: `SlotFolder.keep`.
    package mutating func take(keys document: SignedText) throws(ReleaseFault) -> Bool { try trust.take(document) }

    /// Takes a release if it is signed and for this board, or says why not. The same one again may change its urgency.
    package mutating func offer(_ document: SignedText, _ urgency: Urgency, at time: ReleaseTime) throws(OfferRefusal) {
        let release: TrustedRelease
        do throws(ReleaseFault) {
            release = try trust.release(in: document, at: time)
        } catch {
            throw .signature(error)
        }
        if let offer = journal.offer {
            guard offer.manifest == release.manifest else { throw .busy(offer.manifest.version) }
            hurried = urgency
            return
        }
        guard journal.phase == .idle, plan.isEmpty else { throw .busy(journal.previous ?? journal.installed) }
        let rule = UpdateRule(
            product: settings.product, machine: settings.machine, channel: settings.channel, installed: journal.installed,
            seen: journal.seen, failed: urgency == .now ? [] : journal.failed)
        if let refusal = rule.refusal(of: release, keys: trust.keys, at: time) { throw .rule(refusal) }
        let offer = UpdateJournal.Offer(manifest: release.manifest, urgency: urgency)
        wish = .begin(journal.accepting(offer, ReleaseMark(release)))
    }

    /// Gives an update up that has not been switched to yet.
    package mutating func withdraw() { wish = .withdraw }

    /// Goes back to the version before. Nothing happens where there is none, or an update is under way: `journal` tells both.
    package mutating func goBack(_ urgency: Urgency) {
        urgencyBack = urgency
        wish = .goBack
    }

    package mutating func report(_ report: AgentReport, at now: Instant) {
        presence.take(report, at: now)
        if report.version == journal.installed { lastGood = (report, now) }
        guard case .proving = journal.phase, let offer = journal.offer else { return }
        proof?.take(report, at: now)
        // The old one still runs: the updater was killed before it could restart the agent.
        if proof != nil, report.version != offer.manifest.version, !hasRestarted, plan.isEmpty { plan = [.restart] }
    }

    // MARK: What follows

    package mutating func next(at now: Instant) -> UpdateStep {
        grant()
        let step = choose(at: now)
        current = (step, now)
        return step
    }

    /// - Parameter jitter: 0..<1, drawn by the caller.
    package mutating func finished(_ outcome: UpdateStep.Outcome, jitter: Double, at now: Instant) {
        guard let (step, since) = current else { return }
        current = nil
        if case .wait = step { return }
        guard plan.first == step else { return fetched(step, outcome, since: since, jitter: jitter, at: now) }
        switch outcome {
        case .done, .bytes: succeeded(step, at: now)
        case .mismatch: failed(step, "what lies on the disk is not what was signed", jitter: jitter, at: now)
        case .failed(let reason), .unreachable(let reason): failed(step, reason, jitter: jitter, at: now)
        case .gone: failed(step, "it is gone", jitter: jitter, at: now)
        }
    }

    /// How much of a download is there, in bytes; nil where there is none.
    package var progress: (fetched: Int, total: Int)? { fetching.map { ($0.fetchedBytes, $0.totalBytes) } }

    // MARK: Choosing

    private mutating func grant() {
        guard let wish else { return }
        self.wish = nil
        switch (wish, journal.phase) {
        case (.begin(let journal), .idle) where plan.isEmpty: plan = [.store(journal)]
        case (.withdraw, .clearing), (.withdraw, .fetching), (.withdraw, .staged):
            giveUp("\(journal.offer.map { "\($0.manifest.version)" } ?? "it") was withdrawn")
        case (.goBack, .idle) where plan.isEmpty && journal.previous != nil: plan = [.inspect(journal.active.other, digest: nil)]
        default: break
        }
    }

    private mutating func choose(at now: Instant) -> UpdateStep {
        if let until = retry.until, until > now { return .wait(until: until) }
        if plan.isEmpty, case .proving = journal.phase {
            guard let wait = judge(at: now) else { return choose(at: now) }
            return wait
        }
        guard let step = plan.first ?? fetching?.step(pace, at: now) else { return .wait(until: nil) }
        return !waitsForQuiet(step) || mayDisturb(at: now) ? step : .wait(until: presence.until)
    }

    /// What takes the line, the disk's time or the agent itself. A link that is moved disturbs nobody.
    private func waitsForQuiet(_ step: UpdateStep) -> Bool {
        switch step {
        case .clear, .measure, .fetch, .check, .inspect, .restart: true
        case .wait, .store, .seal, .point: false
        }
    }

    private func mayDisturb(at now: Instant) -> Bool {
        (hurried ?? journal.offer?.urgency ?? urgencyBack) == .now || !presence.isBroadcasting(at: now)
    }

    /// - Returns: nil where there is something to do now.
    private mutating func judge(at now: Instant) -> UpdateStep? {
        guard let verdict = proof?.verdict(at: now) else { return .wait(until: nil) }
        switch verdict {
        case .waiting(let until): return .wait(until: until)
        case .proven: plan = [.store(journal.committed())]
        case .failed(let reason): revert(reason)
        }
        return nil
    }

    // MARK: Going on

    /// What a phase begins with, once it is in the journal.
    private mutating func enter(at now: Instant) {
        (fetching, proof) = (nil, nil)
        let (active, other) = (journal.active, journal.active.other)
        switch journal.phase {
        case .idle: (plan, hurried) = ([], nil)
        case .clearing: plan = [.clear(other), .store(journal.entering(.fetching))]
        case .fetching:
            plan = []
            fetching = FetchCursor(journal.offer?.manifest.files(of: settings.product, for: settings.machine) ?? [], into: other)
        case .staged: plan = [.inspect(other, digest: journal.offer?.digest)]
        case .switching:
            hasRestarted = false
            plan = [.point(other), .store(journal.entering(.proving(start: 1)))]
        case .proving(let start):
            plan = start == 1 ? [.restart] : []
            if start > 1 { beginProof(at: now) }
        case .reverting: plan = [.point(active), .restart, .store(journal.reverted())]
        case .returning: plan = [.point(other), .restart, .store(journal.returned())]
        }
    }

    private mutating func beginProof(at now: Instant) {
        guard let offer = journal.offer else { return }
        proof = HealthProof(of: offer.manifest.version, journal.baseline, within: settings.proofLimit, at: now)
    }

    private mutating func succeeded(_ step: UpdateStep, at now: Instant) {
        plan.removeFirst()
        retry = Retry()
        switch (step, journal.phase) {
        case (.store(let journal), _):
            self.journal = journal
            enter(at: now)
        case (.inspect, .staged): plan = [.store(journal.switching(keeping: baseline(at: now)))]
        case (.inspect, .idle): plan = [.store(journal.entering(.returning))]
        case (.restart, .proving):
            hasRestarted = true
            beginProof(at: now)
        default: break
        }
    }

    /// What works now; empty where the agent says nothing, as one that crashes does: then there is nothing to lose.
    private func baseline(at now: Instant) -> Baseline {
        guard let (report, at) = lastGood, now - at < Self.reportLife else { return Baseline() }
        return Baseline(inputs: Array(report.openInputs), links: Array(report.liveLinks))
    }

    private mutating func fetched(
        _ step: UpdateStep, _ outcome: UpdateStep.Outcome, since: Instant, jitter: Double, at now: Instant
    ) {
        guard let event = fetching?.finished(step, outcome, &pace, from: since), let offer = journal.offer else { return }
        switch event {
        // That what is there could be measured says nothing of the line.
        case .goOn: if case .fetch = step { retry = Retry() }
        case .later: retry.failed(jitter: jitter, at: now)
        case .never(let reason): giveUp("\(offer.manifest.version) was not installed: \(reason)")
        case .complete: plan = [.seal(journal.active.other, offer.manifest), .store(journal.entering(.staged))]
        }
    }

    // MARK: Failing

    private mutating func failed(_ step: UpdateStep, _ reason: String, jitter: Double, at now: Instant) {
        let isStore = if case .store = step { true } else { false }
        switch (journal.phase, step) {
        // Of what was given up: it is emptied before the next download.
        case (.fetching, .clear), (.staged, .clear): plan.removeFirst()
        // A disk that is full keeps nobody from going back; after a loss of power it is decided again.
        case (_, .store(let next)) where next.phase == .reverting:
            journal = next
            enter(at: now)
        // Starts that nobody can count would never be too many.
        case (.proving, .store(let next)) where next.phase != .idle: revert("a start of it could not be written down: \(reason)")
        // Control offers it again.
        case (.idle, .store): plan = []
        case (.idle, .inspect): plan = [.store(journal.ended("the version before is not whole any more: \(reason)"))]
        case (.clearing, _) where !isStore, (.fetching, _) where !isStore, (.staged, _) where !isStore:
            giveUp("\(journal.offer.map { "\($0.manifest.version)" } ?? "it") was not installed: \(reason)")
        case (.switching, _): revert("it could not be switched to: \(reason)")
        case (.proving, .restart): revert("it could not be started: \(reason)")
        case (.reverting, .restart), (.returning, .restart):
            retry.failed(jitter: jitter, at: now)
            // The link is right: the next start of the service, whoever causes it, is that of the right version.
            if retry.failures >= Self.restartLimit { succeeded(step, at: now) }
        default: retry.failed(jitter: jitter, at: now)
        }
    }

    /// What was fetched goes first: on a disk that it has filled nothing could be written down, now or ever.
    private mutating func giveUp(_ reason: String) {
        (fetching, retry) = (nil, Retry())
        plan = [.store(journal.ended(reason))]
        if journal.phase == .fetching || journal.phase == .staged { plan.insert(.clear(journal.active.other), at: 0) }
    }

    private mutating func revert(_ reason: String) {
        (proof, retry) = (nil, Retry())
        plan = [.store(journal.reverting(reason))]
    }
}
