package import Units
package import Wire

/// One broadcast from the wish to its end: takes what was observed and says what to do next. Holds no clock and no
/// secret and opens nothing; it is stored whole after each step, before the step's actions are carried out.
///
/// Every order it gives is idempotent, so whatever is uncertain after a lost connection or a restart is asked again.
package struct BroadcastMachine: Codable, Sendable, Hashable {
    package let id: BroadcastID
    package let organization: OrganizationID
    package let sender: DeviceID
    package let grace: Grace
    /// Of the host that it is on: with another host comes another lease, so that nothing of an earlier one is taken for this one's.
    package internal(set) var lease: LeaseID
    package internal(set) var media: MediaChoice
    /// What goes on where the sender refuses the change that is on its way to it.
    var mediaBefore: MediaChoice?
    /// Grows with each change that the sender has to follow.
    package internal(set) var revision = 1
    /// No broadcast has so many; a sender that says so is not believed.
    static let revisionLimit = 1 << 40
    /// The outputs that are wanted.
    package internal(set) var outputs: [PlannedOutput]
    package internal(set) var host: DeviceID?
    package internal(set) var port: Int?
    package internal(set) var phase = Phase.choosing
    /// What the sender told of the plan that it took last: for a person, it is sent all the same.
    package internal(set) var senderNote: String?
    /// Since when nothing arrives, in Unix milliseconds.
    package internal(set) var interruptedSinceMs: Int64?
    /// nil of a broadcast.
    package internal(set) var rehearsal: Rehearsal?
    /// What is wrong with picture and sound, by the sender's telemetry; nil where nothing is. Stored, so that a restart tells nobody again.
    package internal(set) var alarms: [MediaAlarm]?

    // Observed, and asked again after a restart: not part of what is stored.
    var observed = Observed()

    package enum Phase: Codable, Sendable, Hashable {
        case choosing
        case leasing
        case sending
        case media
        case outputs
        case running
        case stopping(EndReason, Undo)
        case ended(EndReason)
    }

    /// What is still to be undone.
    package struct Undo: Codable, Sendable, Hashable {
        var sender: Bool
        var host: Bool
        var isDone: Bool { !sender && !host }
    }

    struct Observed: Hashable, Sendable {
        var report: StreamReport?
        var sending: SendingReport?
        var senderConnected = false
        var hostConnected = false
        /// Hosts that did not take the stream during its start; another is asked.
        var refusing: Set<DeviceID> = []
        /// Hosts that are not asked: others have the ports of its SRT listeners there.
        var occupied: Set<DeviceID> = []
        /// Why there is no host yet, while one may still come.
        var hostFault: String?
        /// Until when a start waits for one, in Unix milliseconds.
        var awaitsHostUntilMs: Int64?
        /// One has come while another choice was being made.
        var hostCame = false
        /// Why there is no lease, in the words of whoever refused it.
        var leaseFault: String?
        var watch = HostWatch()
        /// Another host is being chosen, since the one that it is on is gone.
        var isSeeking = false
        /// How each wanted output gets to the receiver.
        var handovers: [OutputID: Handover] = [:]
        /// Whether so much of the stream is missing that a person is told.
        var loss = LossWatch()
        /// Some of the stream arrives, and no whole picture yet.
        var isInPieces = false
        /// When the sender was asked for a key frame last, in Unix milliseconds.
        var keyFrameAskedMs: Int64?
        /// Outputs that are to go, by how many reports may still name them before they are told so again.
        var leaving: [OutputID: Int] = [:]
    }

    private enum CodingKeys: String, CodingKey {
        case id, organization, sender, grace, lease, media, mediaBefore, revision, outputs, host, port, phase, senderNote,
            interruptedSinceMs, rehearsal, alarms
    }

    package init(
        id: BroadcastID, organization: OrganizationID, sender: DeviceID, lease: LeaseID, media: MediaChoice, outputs: [PlannedOutput],
        grace: Grace, rehearsal: Rehearsal? = nil
    ) {
        self.id = id
        self.organization = organization
        self.sender = sender
        self.lease = lease
        self.media = media
        self.outputs = outputs
        self.grace = grace
        self.rehearsal = rehearsal
    }
}

/// What a broadcast shows and how it is sent: what a person chose.
package struct MediaChoice: Codable, Sendable, Hashable {
    package var input: InputChoice
    package var encoder: EncoderChoice
    package var bufferMs: Int
    package var links: [String]?
    /// nil is `throughput`.
    package var protection: Protection?

    package init(input: InputChoice, encoder: EncoderChoice, bufferMs: Int, links: [String]?, protection: Protection? = nil) {
        self.input = input
        self.encoder = encoder
        self.bufferMs = bufferMs
        self.links = links
        self.protection = protection
    }
}

/// What a person wants otherwise; the rest stays as it is then.
package struct MediaChange: Sendable, Hashable {
    package var bitrate: Bitrate?
    package var input: InputChoice?

    package init(bitrate: Bitrate? = nil, input: InputChoice? = nil) {
        self.bitrate = bitrate
        self.input = input
    }

    func applied(to media: MediaChoice) -> MediaChoice {
        var changed = media
        if let bitrate { changed.encoder.bitrate = bitrate }
        if let input { changed.input = input }
        return changed
    }
}

extension BroadcastMachine {
    /// What happened.
    package enum Event: Sendable {
        /// Begin, or go on after a restart of control.
        case resumed
        /// - lease: of its own, where the broadcast is on another host yet.
        case hostChosen(DeviceID, lease: LeaseID? = nil)
        /// - waitMs: for how long one may still come.
        case noHost(reason: String, waitMs: Int64 = 0)
        /// - by: the host that answers; it may be one that another was asked after.
        case leased(port: Int, by: DeviceID? = nil)
        case leaseRefused(reason: String, by: DeviceID? = nil)
        case released
        /// - note: what a person should know of it.
        case senderStarted(revision: Int, note: String? = nil)
        case senderRefused(revision: Int, detail: String?, reason: String)
        case senderStopped
        /// An order had no answer within its time, or its connection broke: nobody knows.
        case unknown(Order)
        case senderConnected(SendingReport?)
        case senderDisconnected
        /// Telemetry of a sender that sends: whether any of its links has an answer.
        case sampled(isAnswered: Bool)
        /// What is wrong with picture and sound now.
        case alarmed([MediaAlarm])
        /// The host was looked at: whether it is away, or has said nothing for longer than one does that is there.
        case looked(isSilent: Bool)
        case sending(SendingReport)
        case hostConnected(DeviceID, LeaseReport?)
        case hostDisconnected(DeviceID)
        case report(StreamReport)
        /// The pool says that the lease is over though nobody asked for it.
        case leaseLost
        case outputAdded(PlannedOutput)
        case outputRemoved(OutputID)
        case outputRetried(OutputID)
        /// The receiver has it as its destination is now.
        case outputGiven(OutputID)
        /// It could not be made, or the host did not take it.
        case outputFailed(OutputID, reason: String)
        /// The lease was made with it, or not for its `fault`, as its destination was when the lease was asked for.
        case outputLeased(OutputID, edition: Int, fault: String? = nil)
        /// The lease was made without it.
        case outputLeftOut(OutputID)
        /// A person gave it another name, or another place or key; `listener` is the port that it asks for from now on.
        case destinationChanged(DestinationID, name: String, isElsewhere: Bool, listener: ListenerPlace? = nil)
        case mediaChanged(MediaChange)
        case stopRequested(EndReason)
        case rehearsalOver(Rehearsal.Ending)
        case timer(Timer)
    }

    /// What to do. Orders are sent with the machine's present values.
    package enum Action: Sendable, Hashable {
        case chooseHost
        case order(Order)
        /// Gives the receiver the output as its destination is now; one that it has and that is connected goes on as it is.
        case addOutput(OutputID)
        case removeOutput(OutputID)
        /// The same, and has it try at once.
        case retryOutput(OutputID)
        /// Ends it first, connected or not.
        case replaceOutput(OutputID)
        case set(Timer, afterMs: Int64)
        case cancel(Timer)
        /// Looks whether the host says anything.
        case look
        /// Asks the sender for a key frame: somebody in a room cannot go on without.
        case requestKeyFrame
        /// Has a host that may have taken the stream after all let go of it.
        case leave(DeviceID)
        /// The same of one that it was on, with the lease that it had there.
        case abandon(DeviceID, LeaseID)
    }

    package enum Order: Sendable, Hashable {
        case lease, release, start, stop
    }

    package enum Timer: Sendable, Hashable {
        case step, grace, undo
        /// Since the host was last heard of the stream: a report comes each second.
        case silence
        /// How long a stop waits for the last of the sender before the receiver goes.
        case drain
        /// When an order that had no answer is given again.
        case again(Order)
        /// When the host is looked at that the sender has no answer from.
        case host
        /// How long a host may take that the stream is moved to.
        case move
        /// When an output that the receiver does not have, or that does not connect, is given to it again.
        case output(OutputID)
        /// When a rehearsal's second half begins, and when it is over.
        case raise, rehearsal
    }

    /// For how long a report is believed.
    static let silenceMs: Int64 = 3000

    /// Hosts that are asked for one start.
    static let hostLimit = 3

    /// Milliseconds each step of a start may take. The pool answers in less than 5 s and the sender's preflight in less
    /// than 8; the key frame and the outputs have the 20 s of the design.
    static func limitMs(of step: Step) -> Int64 {
        switch step {
        case .lease: 12_000
        case .sender: 15_000
        case .media, .outputs: 20_000
        }
    }
}

extension BroadcastMachine {
    /// - Parameter nowMs: Unix milliseconds.
    package mutating func event(_ event: Event, nowMs: Int64) -> [Action] {
        if case .ended = phase { return [] }
        return take(event, nowMs: nowMs) + rehearse(nowMs: nowMs)
    }

    private mutating func take(_ event: Event, nowMs: Int64) -> [Action] {
        switch event {
        case .resumed: return resume(nowMs: nowMs)
        case .hostChosen(let device, let lease): return chosen(device, lease)
        case .noHost(let reason, let waitMs): return noHost(reason, waitMs: waitMs, nowMs: nowMs)
        case .leaseRefused(let reason, let device): return isElsewhere(device) ? [] : leaseFailed(reason, nowMs: nowMs)
        // A late answer: what that host has taken now is nobody's.
        case .leased(_, let device?) where isElsewhere(device): return [.leave(device)]
        case .leased(let port, _): return leased(port, nowMs: nowMs)
        case .released, .senderStopped: return undone(event)
        case .senderStarted(let revision, let note): return started(revision, note)
        case .senderRefused(let revision, let detail, let reason): return refused(revision, detail, reason, nowMs: nowMs)
        case .unknown(let order): return unanswered(order)
        case .senderConnected(let report): return senderConnected(report)
        case .senderDisconnected:
            observed.senderConnected = false
            return []
        case .looked(let isSilent): return looked(isSilent: isSilent)
        case .sampled(let isAnswered): return sampled(isAnswered: isAnswered, nowMs: nowMs)
        case .sending(let report): return sending(report)
        case .alarmed(let alarms):
            self.alarms = alarms.isEmpty ? nil : alarms
            return []
        case .hostConnected where phase == .choosing: return hostCame()
        case .hostConnected(let device, let report):
            return hostConnected(device, report, nowMs: nowMs) + (device == host ? awaitReport() : [])
        case .hostDisconnected(let device):
            if device == host { observed.hostConnected = false }
            return []
        case .report(let report): return reported(report, nowMs: nowMs) + awaitReport()
        case .leaseLost: return hostConnected(host, nil, nowMs: nowMs)
        case .outputAdded(let output): return added(output, nowMs: nowMs)
        case .outputRemoved(let output): return removed(output)
        case .outputRetried(let output): return retried(output, nowMs: nowMs)
        case .outputGiven(let output): return given(output, nowMs: nowMs)
        case .outputFailed(let output, let reason): return failed(output, reason)
        case .outputLeased(let output, let edition, let fault): return leased(output, edition, fault, nowMs: nowMs)
        case .outputLeftOut(let output): return isUp ? give(output, .plainly, nowMs: nowMs) : []
        case .destinationChanged(let destination, let name, let isElsewhere, let listener):
            return changed(destination, name, isElsewhere: isElsewhere, listener, nowMs: nowMs)
        case .mediaChanged(let change): return changed(change)
        case .stopRequested(let reason): return stop(reason)
        case .rehearsalOver(let ending): return endRehearsal(ending)
        case .timer(let timer): return fired(timer, nowMs: nowMs)
        }
    }
}

extension BroadcastMachine {
    package var state: BroadcastState {
        switch phase {
        case .choosing, .leasing: .starting(.lease)
        case .sending: .starting(.sender)
        case .media: .starting(.media)
        case .outputs: .starting(.outputs)
        case .running: runningState
        case .stopping: .stopping
        case .ended(let reason): .ended(reason)
        }
    }

    /// What a start waits for; nil where it waits for nobody in particular.
    var hostNote: String? { phase == .choosing ? observed.hostFault.map { "\($0) yet: one is waited for" } : nil }

    /// The last report of the receiver; nil until one came since control started.
    package var report: StreamReport? { observed.report }
    /// What is stored: the machine as it is after a restart, before anything was observed.
    package var withoutObservations: BroadcastMachine {
        var copy = self
        copy.observed = Observed()
        return copy
    }

    /// Has a start ask other hosts than these.
    ///
    /// - Parameter reason: what a person is told where there are no others.
    mutating func avoid(_ hosts: Set<DeviceID>, reason: String) {
        observed.occupied = hosts
        observed.leaseFault = reason
    }

    /// Whether a host has the stream, by this lease: it speaks for nothing else.
    func isOn(_ device: DeviceID, _ lease: LeaseID) -> Bool { host == device && self.lease == lease }

    private func isElsewhere(_ device: DeviceID?) -> Bool { device != nil && device != host }

    private var runningState: BroadcastState {
        if let since = interruptedSinceMs { return .interrupted(sinceMs: since, reason: interruption) }
        guard observed.hostConnected else { return .degraded(reason: "no word from the receiver's host") }
        guard observed.report != nil else { return .degraded(reason: "no word from the receiver") }
        var reasons = [senderFault, lossFault].compactMap(\.self)
        if rehearsal != nil { return reasons.isEmpty ? .live : .degraded(reason: reasons.listed()) }
        let shown = shownOutputs
        for output in shown where output.state != .connected || output.reason != nil {
            reasons.append("output \(name(of: output.id)) \(output.state.rawValue)" + (output.reason.map { ": \($0)" } ?? ""))
        }
        // Live needs one that is connected: without any, or before the receiver has made them, nobody gets the picture.
        if shown.isEmpty { reasons.append(outputs.isEmpty ? "it has no output: add one, or stop it" : "no output is there yet") }
        return reasons.isEmpty ? .live : .degraded(reason: reasons.listed())
    }

    /// Why no picture arrives: what the sender says of itself, which a person can mend, before what is seen from here.
    private var interruption: String {
        if let fault = observed.leaseFault { return "the receiver is gone: \(fault)" }
        let ownFault = observed.senderConnected ? senderFault : nil
        guard observed.isInPieces else { return ownFault ?? "nothing arrives from the sender" }
        return ["no whole picture arrives", ownFault, lossFault].compactMap(\.self).listed()
    }

    private var lossFault: String? {
        // The sender may have said why itself.
        let cause = senderFault == nil ? ": the links carry too little, or lose more than can be sent again in time" : ""
        return observed.loss.loss.map { "\($0)\(cause)" }
    }

    /// In its own words; nil where it sends as planned.
    var senderFault: String? {
        guard let sending = observed.sending, sending.state != .sending, sending.state != .preflight else { return nil }
        return "sender \(sending.state.rawValue)" + (sending.reason.map { ": \($0)" } ?? "")
    }
}
