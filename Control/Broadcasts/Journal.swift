import Units
import Wire

/// Control's own flight recorder of one broadcast: what happened to it as control sees it, and who asked for what. Holds no clock and opens
/// nothing.
///
/// A thing is written when it is not as it was written last, so that nothing stands twice. One that changes all night is written some times, then
/// once in a while, as it is by then and with how many changes were left out. A look is due after each event; a report comes each second.
struct Journal: Sendable {
    /// Unix milliseconds when it began: after a restart of control the numbers begin anew.
    let run: Int64
    private var next = 0
    /// As it was written last, each part of it.
    private var written: BroadcastLook
    /// As it was seen last.
    private var seen: BroadcastLook
    /// Outputs of a broadcast that was taken up again: that they are connected is no news.
    private var unasked: Set<OutputID>
    private var allowances: [Thing: Allowance] = [:]

    /// What has an allowance of its own.
    private enum Thing: Hashable {
        case state, host, receiver, slate, people
        case output(OutputID)
        case alarm(MediaAlarm)

        var allowance: Allowance {
            switch self {
            case .state: Allowance(atOnce: 40, everyMs: 300_000)
            case .host, .receiver, .slate, .alarm: Allowance(atOnce: 20, everyMs: 300_000)
            case .output: Allowance(atOnce: 20, everyMs: 600_000)
            case .people: Allowance(atOnce: 60, everyMs: 60_000)
            }
        }
    }

    /// - Parameters:
    ///   - look: at the broadcast as it begins, or as it is taken up again after a restart of control.
    ///   - isResumed: what is found then has not happened just now.
    init(_ look: BroadcastLook, isResumed: Bool, run: Int64) {
        self.run = run
        written = look
        written.hostIsThere = nil
        written.restarts = nil
        written.slateIsShown = isResumed ? nil : false
        seen = written
        unasked = isResumed ? Set(look.outputs.map(\.id)) : []
    }

    /// It begins.
    mutating func began(by user: UserID?, atMs: Int64) -> FlightEntry { stateEntry(written, by: user, atMs: atMs) }

    /// Control was started again while it went on.
    mutating func resumed(atMs: Int64) -> FlightEntry { entry(.control, "restarted", nil, atMs: atMs) }

    /// Of what a person asked for, what is not seen in the broadcast itself, or only later.
    ///
    /// - Parameter broadcast: as it was asked of.
    mutating func asked(
        _ event: BroadcastMachine.Event, by user: UserID, of broadcast: BroadcastMachine, atMs: Int64
    ) -> [FlightEntry] {
        guard !seen.isEnding else { return [] }
        switch event {
        case .mediaChanged(let change):
            let bitrate = change.bitrate.flatMap { asked(.bitrate, "asked", "\($0.bitsPerSecond)", user, atMs) }
            let input = change.input.flatMap { asked(.input, "asked", $0.video, user, atMs) }
            return [bitrate, input].compactMap { $0 }
        case .outputRetried(let output):
            guard let name = broadcast.outputs.first(where: { $0.id == output })?.name else { return [] }
            return [asked(.output, "retry_asked", name, user, atMs)].compactMap { $0 }
        case .destinationChanged(let destination, let name, _, _):
            guard broadcast.outputs.contains(where: { $0.destination == destination }) else { return [] }
            return [asked(.destination, "changed", name, user, atMs)].compactMap { $0 }
        default: return []
        }
    }

    private mutating func asked(
        _ kind: FlightEntry.Kind, _ state: String, _ subject: String, _ user: UserID, _ atMs: Int64
    ) -> FlightEntry? {
        guard isDue(.people, true, true, atMs) else { return nil }
        return entry(kind, state, subject, by: user, omitted: settle(.people), atMs: atMs)
    }

    /// - Parameter user: who asked for what led to this look; nil where nobody did.
    mutating func saw(_ look: BroadcastLook, by user: UserID?, atMs: Int64) -> [FlightEntry] {
        var look = look
        // What is not known now is as it was.
        for index in look.outputs.indices where look.outputs[index].standing == nil {
            look.outputs[index].standing = seen.outputs.first { $0.id == look.outputs[index].id }?.standing
        }
        look.hostIsThere = look.hostIsThere ?? seen.hostIsThere
        look.restarts = look.restarts ?? seen.restarts
        look.slateIsShown = look.slateIsShown ?? seen.slateIsShown
        defer { seen = look }
        var entries: [FlightEntry] = []
        if isDue(.state, look.course != written.course, look.course != seen.course, atMs, always: !look.isRunning) {
            (written.state, written.silent, written.isLossy) = (look.state, look.silent, look.isLossy)
            entries.append(stateEntry(look, by: look.isEnding ? user : nil, omitted: settle(.state), atMs: atMs))
        }
        guard !look.isEnding else { return entries }
        return entries + host(look, atMs) + outputs(look, by: user, atMs) + media(look, atMs) + alarms(look, atMs)
    }

    // MARK: The parts of a look

    private mutating func host(_ look: BroadcastLook, _ atMs: Int64) -> [FlightEntry] {
        if look.host != written.host {
            guard isDue(.host, true, look.host != seen.host, atMs) else { return [] }
            let (before, reason) = (written.host, look.host == nil ? look.hostFault : nil)
            (written.host, written.hostIsThere) = (look.host, look.hostIsThere)
            let (state, subject) = look.host == nil ? ("left", before?.text) : ("chosen", look.host?.text)
            return [entry(.host, state, subject, reason: reason, omitted: settle(.host), atMs: atMs)]
        }
        guard let isThere = look.hostIsThere else { return [] }
        // After a restart of control it dials within seconds: that it has not yet is no loss.
        guard written.hostIsThere != nil else {
            if isThere { written.hostIsThere = true }
            return []
        }
        guard isDue(.host, isThere != written.hostIsThere, isThere != seen.hostIsThere, atMs) else { return [] }
        written.hostIsThere = isThere
        return [entry(.host, isThere ? "back" : "lost", look.host?.text, omitted: settle(.host), atMs: atMs)]
    }

    private mutating func outputs(_ look: BroadcastLook, by user: UserID?, _ atMs: Int64) -> [FlightEntry] {
        var entries: [FlightEntry] = []
        for gone in written.outputs where !look.outputs.contains(where: { $0.id == gone.id }) {
            let isNew = seen.outputs.contains { $0.id == gone.id }
            guard isDue(.people, true, isNew, atMs) else { continue }
            written.outputs.removeAll { $0.id == gone.id }
            allowances[.output(gone.id)] = nil
            entries.append(entry(.output, "removed", gone.name, by: user, omitted: settle(.people), atMs: atMs))
        }
        for output in look.outputs {
            if !written.outputs.contains(where: { $0.id == output.id }) {
                let isNew = !seen.outputs.contains { $0.id == output.id }
                guard isDue(.people, true, isNew, atMs) else { continue }
                written.outputs.append(BroadcastLook.Output(id: output.id, name: output.name))
                entries.append(entry(.output, "added", output.name, by: user, omitted: settle(.people), atMs: atMs))
            }
            entries += standing(output, atMs)
        }
        return entries
    }

    private mutating func standing(_ output: BroadcastLook.Output, _ atMs: Int64) -> [FlightEntry] {
        guard let index = written.outputs.firstIndex(where: { $0.id == output.id }), let standing = output.standing else { return [] }
        written.outputs[index].name = output.name
        if unasked.remove(output.id) != nil, standing.state == .connected { written.outputs[index].standing = standing }
        let before = seen.outputs.first { $0.id == output.id }?.standing
        guard isDue(.output(output.id), standing != written.outputs[index].standing, standing != before, atMs) else { return [] }
        written.outputs[index].standing = standing
        let omitted = settle(.output(output.id))
        return [entry(.output, standing.state.rawValue, output.name, reason: standing.reason, omitted: omitted, atMs: atMs)]
    }

    private mutating func media(_ look: BroadcastLook, _ atMs: Int64) -> [FlightEntry] {
        var entries: [FlightEntry] = []
        if let restarts = look.restarts, restarts != written.restarts {
            // A receiver of another lease counts anew.
            if restarts < written.restarts ?? Int.max {
                written.restarts = restarts
            } else if isDue(.receiver, true, restarts != seen.restarts, atMs) {
                written.restarts = restarts
                entries.append(entry(.receiver, "restarted", nil, omitted: settle(.receiver), atMs: atMs))
            }
        }
        if let isShown = look.slateIsShown {
            if written.slateIsShown == nil { written.slateIsShown = isShown }
            if isDue(.slate, isShown != written.slateIsShown, isShown != seen.slateIsShown, atMs) {
                written.slateIsShown = isShown
                entries.append(entry(.slate, isShown ? "shown" : "gone", nil, omitted: settle(.slate), atMs: atMs))
            }
        }
        if isDue(.people, look.bitrate != written.bitrate, look.bitrate != seen.bitrate, atMs) {
            written.bitrate = look.bitrate
            entries.append(entry(.bitrate, "changed", "\(look.bitrate.bitsPerSecond)", omitted: settle(.people), atMs: atMs))
        }
        if isDue(.people, look.input != written.input, look.input != seen.input, atMs) {
            written.input = look.input
            entries.append(entry(.input, "changed", look.input, omitted: settle(.people), atMs: atMs))
        }
        return entries
    }

    private mutating func alarms(_ look: BroadcastLook, _ atMs: Int64) -> [FlightEntry] {
        var entries: [FlightEntry] = []
        for alarm in MediaAlarm.all {
            let isRaised = look.alarms.contains(alarm)
            let differs = isRaised != written.alarms.contains(alarm)
            guard isDue(.alarm(alarm), differs, isRaised != seen.alarms.contains(alarm), atMs) else { continue }
            written.alarms = isRaised ? written.alarms + [alarm] : written.alarms.filter { $0 != alarm }
            let omitted = settle(.alarm(alarm))
            entries.append(entry(.alarm, isRaised ? "raised" : "cleared", alarm.rawValue, omitted: omitted, atMs: atMs))
        }
        return entries
    }

    // MARK: Writing

    /// Whether a thing is written now.
    ///
    /// - Parameters:
    ///   - differs: from how it was written last.
    ///   - isNew: it was not so at the last look: it counts as left out where it is not written.
    private mutating func isDue(_ thing: Thing, _ differs: Bool, _ isNew: Bool, _ atMs: Int64, always: Bool = false) -> Bool {
        if differs, always || takes(thing, atMs) { return true }
        if isNew { allowances[thing, default: thing.allowance].omit() }
        return false
    }

    private mutating func takes(_ thing: Thing, _ atMs: Int64) -> Bool {
        allowances[thing, default: thing.allowance].take(atMs: atMs)
    }

    private mutating func settle(_ thing: Thing) -> Int? { allowances[thing]?.settle() }

    private mutating func stateEntry(_ look: BroadcastLook, by user: UserID?, omitted: Int? = nil, atMs: Int64) -> FlightEntry {
        var (step, reason): (String?, String?) = (nil, nil)
        switch look.state {
        case .starting(let one): step = one.rawValue
        case .degraded(let words), .interrupted(_, let words): reason = words
        case .ended(let end): reason = end.text
        case .live, .stopping: break
        }
        return entry(.state, look.state.name, step, reason: reason, by: user, omitted: omitted, atMs: atMs)
    }

    private mutating func entry(
        _ kind: FlightEntry.Kind, _ state: String, _ subject: String?, reason: String? = nil, by user: UserID? = nil, omitted: Int? = nil,
        atMs: Int64
    ) -> FlightEntry {
        defer { next += 1 }
        return FlightEntry(
            number: next, atMs: atMs, kind: kind, state: state, subject: subject?.bounded(), reason: reason?.bounded(), user: user,
            omitted: omitted)
    }
}
