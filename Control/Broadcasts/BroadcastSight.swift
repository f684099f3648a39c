package import Units
package import Wire

/// A broadcast that is not over, as others judge whether somebody is to be told of it.
package struct BroadcastSight: Sendable {
    package var id: BroadcastID
    package var organization: OrganizationID
    package var sender: DeviceID
    package var isSenderThere: Bool
    /// It has come through its start, and nobody stops it.
    package var isOnAir: Bool
    /// Nothing arrives.
    package var isInterrupted: Bool
    /// Of the receiver, the last; nil until one came since control started.
    package var report: StreamReport?
    package var alarms: [MediaAlarm]
    package var outputs: [Output]

    package struct Output: Sendable {
        package var id: OutputID
        package var name: String
        /// nil where nobody has said anything of it yet.
        package var state: OutputReport.State?
        package var reason: String?

        package init(id: OutputID, name: String, state: OutputReport.State?, reason: String? = nil) {
            self.id = id
            self.name = name
            self.state = state
            self.reason = reason
        }
    }

    package init(
        id: BroadcastID, organization: OrganizationID, sender: DeviceID, isSenderThere: Bool, isOnAir: Bool, isInterrupted: Bool = false,
        report: StreamReport? = nil, alarms: [MediaAlarm] = [], outputs: [Output] = []
    ) {
        self.id = id
        self.organization = organization
        self.sender = sender
        self.isSenderThere = isSenderThere
        self.isOnAir = isOnAir
        self.isInterrupted = isInterrupted
        self.report = report
        self.alarms = alarms
        self.outputs = outputs
    }

    init(_ machine: BroadcastMachine, isSenderThere: Bool) {
        self.init(
            id: machine.id, organization: machine.organization, sender: machine.sender, isSenderThere: isSenderThere,
            isOnAir: machine.phase == .running, isInterrupted: machine.interruptedSinceMs != nil, report: machine.report,
            alarms: machine.alarms ?? [],
            outputs: machine.outputs.map { output in
                let shown = machine.shown(output.id)
                return Output(id: output.id, name: output.name, state: shown?.state, reason: shown?.reason)
            })
    }
}

extension BroadcastDirector {
    /// All that are on their way or on air, over all organisations; nil until what was running is taken up after a start.
    package func sights() async -> [BroadcastSight]? {
        guard isComplete else { return nil }
        var sights: [BroadcastSight] = []
        for one in live.values {
            let machine = await one.machine
            switch machine.phase {
            case .stopping, .ended: continue
            case .choosing, .leasing, .sending, .media, .outputs, .running:
                sights.append(BroadcastSight(machine, isSenderThere: await parts.fleet.isOnline(machine.sender)))
            }
        }
        return sights
    }
}
