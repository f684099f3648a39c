// A rehearsal's own steps: media is all that it waits for, then its time runs.
import Units
import Wire

extension BroadcastMachine {
    /// After each event: with the first key frame it is where a broadcast begins to wait for its outputs, of which it has none.
    mutating func rehearse(nowMs: Int64) -> [Action] {
        guard let rehearsal, phase == .outputs else { return [] }
        phase = .running
        self.rehearsal?.sinceMs = nowMs
        let raise: [Action] = rehearsal.raised == nil ? [] : [.set(.raise, afterMs: Int64(rehearsal.seconds) * 500)]
        return [.cancel(.step), .set(.rehearsal, afterMs: Int64(rehearsal.seconds) * 1000)] + raise
    }

    /// The second half: a sender that refuses it goes on with the first.
    mutating func raiseRate() -> [Action] {
        guard let raised = rehearsal?.raised, phase == .running, interruptedSinceMs == nil else { return [] }
        return changed(MediaChange(bitrate: raised))
    }

    /// Whether the sender has agreed to the second half.
    var isRaised: Bool { rehearsal.map { (mediaBefore ?? media).encoder.bitrate > $0.wish } ?? false }

    mutating func endRehearsal(_ ending: Rehearsal.Ending) -> [Action] {
        guard rehearsal != nil, !isEnding else { return [] }
        rehearsal?.ending = ending
        return [.cancel(.rehearsal), .cancel(.raise)] + stop(.stopped)
    }

    private var isEnding: Bool {
        switch phase {
        case .stopping, .ended: true
        case .choosing, .leasing, .sending, .media, .outputs, .running: false
        }
    }
}
