package import Store
package import Units
package import Wire

// Broadcasts that are participants of rooms.

extension BroadcastDirector {
    /// Has a running broadcast join a room: one more output, which is taken off as any other.
    ///
    /// - Parameters:
    ///   - room: the organisation's own, which whoever asks may bring somebody into.
    ///   - name: what the organisation calls it.
    package func bring(
        _ id: BroadcastID, into room: RoomID, named name: String, in organization: OrganizationID, by author: Author
    ) async throws -> BroadcastView {
        guard let one = try await find(id, in: organization) else { throw Failure.isOver }
        guard parts.outputs.hasRooms else { throw Failure.unsupported("this server has no rooms: rooms.workers is 0 in its configuration") }
        let machine = await one.machine
        guard machine.media.encoder.codec == .h264 else {
            throw Failure.unsupported("a room takes H.264, and this stream is H.265: choose H.264 on the sender")
        }
        let output = PlannedOutput(id: .fresh(), room: room, name: name)
        guard !machine.outputs.contains(where: { $0.destination == output.destination }) else {
            throw Failure.isOutput(output.destination, name: name)
        }
        try quotas.admit(.outputs, beside: machine.outputs.count)
        one.post(.outputAdded(output), by: author.user)
        let view = await one.settledView()
        // Somebody else was quicker, or it is over.
        guard view.outputs.contains(where: { $0.id == output.id }) else {
            guard view.outputs.contains(where: { $0.room == room }) else { throw Failure.isOver }
            throw Failure.isOutput(output.destination, name: name)
        }
        return view
    }

    /// Whether a broadcast still goes into a room by this output: for whoever shows the output's pass.
    package func brings(_ id: BroadcastID, into room: RoomID, by output: OutputID, of organization: OrganizationID) async -> Bool {
        guard let one = live[id], one.organization == organization, !one.isRehearsal else { return false }
        let machine = await one.machine
        guard machine.isUp else { return false }
        return machine.outputs.contains { $0.id == output && $0.room == room }
    }

    /// A room has an output no more that did not leave by itself.
    ///
    /// - Parameter isForGood: it was sent away, or the room is no more; else its worker has ended, and it comes again.
    package func leftRoom(_ id: BroadcastID, by output: OutputID, isForGood: Bool) async {
        guard let one = live[id], await one.machine.outputs.contains(where: { $0.id == output && $0.room != nil }) else { return }
        if isForGood { one.post(.outputRemoved(output)) } else { await one.enterAgain(output) }
    }
}
