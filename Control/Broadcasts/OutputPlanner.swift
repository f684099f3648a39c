import Posix
import Store
import Units
import Web
import Wire

/// Makes of a destination what a receiver needs: the place, its secret and the one address that passed the guard.
struct OutputPlanner: Sendable {
    private let store: ControlStore
    private let lookups: Lookups
    private let rooms: RoomPassMaker?

    init(store: ControlStore, lookups: Lookups, rooms: RoomPassMaker? = nil) {
        self.store = store
        self.lookups = lookups
        self.rooms = rooms
    }

    /// Whether outputs can go into rooms.
    var hasRooms: Bool { rooms != nil }

    /// A destination as it is now.
    struct Place: Sendable {
        let name: String
        let target: OutputSpec.Target
    }

    /// - Throws: `Broadcasts.Failure.noSuchDestination` or `.unfit`.
    func place(_ id: DestinationID, in organization: OrganizationID) async throws -> Place {
        let destinations = store.destinations(in: OrganizationScope(organization, by: .system))
        let destination: Destination
        let secret: Secret?
        do {
            destination = try await destinations.find(id)
            secret = try await destinations.secret(of: id)
        } catch StoreError.missing {
            throw BroadcastDirector.Failure.noSuchDestination(id)
        }
        do {
            return Place(name: destination.name, target: try await target(destination.endpoint, secret, organization))
        } catch let refusal as OutboundGuard.Refusal {
            throw BroadcastDirector.Failure.unfit(name: destination.name, reason: "\(refusal)")
        }
    }

    enum Attempt: Sendable {
        case fit(OutputSpec)
        /// For a person.
        case unfit(reason: String)
    }

    /// The same for a broadcast that goes on without an output that cannot be made now.
    func attempt(
        _ output: PlannedOutput, of broadcast: BroadcastID, by sender: DeviceID, in organization: OrganizationID
    ) async -> Attempt {
        if let room = output.room { return await attempt(output, into: room, of: broadcast, by: sender, in: organization) }
        do {
            return .fit(OutputSpec(id: output.id, target: try await place(output.destination, in: organization).target))
        } catch BroadcastDirector.Failure.unfit(_, let reason) {
            return .unfit(reason: reason)
        } catch BroadcastDirector.Failure.noSuchDestination {
            return .unfit(reason: "its destination was removed")
        } catch {
            return .unfit(reason: "its destination could not be read: \(error)")
        }
    }

    /// Its pass is good for the output alone, and while the broadcast has that.
    private func attempt(
        _ output: PlannedOutput, into room: RoomID, of broadcast: BroadcastID, by sender: DeviceID, in organization: OrganizationID
    ) async -> Attempt {
        guard let rooms else { return .unfit(reason: "this server has no rooms") }
        let scope = OrganizationScope(organization, by: .system)
        do {
            _ = try await store.rooms(in: scope).find(room)
            let name = try await store.devices(in: scope).find(sender).name
            let claim = RoomClaim(room: room, organization: organization, broadcast: broadcast, output: output.id, name: name)
            return .fit(OutputSpec(id: output.id, target: .room(RoomTarget(room: room, pass: SecretOnWire(try rooms(claim))))))
        } catch StoreError.missing {
            return .unfit(reason: "its room is no more")
        } catch {
            return .unfit(reason: "its room could not be read: \(error)")
        }
    }

    /// What its organisation calls a destination.
    ///
    /// - Throws: `Broadcasts.Failure.noSuchDestination`.
    func name(of destination: DestinationID, in organization: OrganizationID) async throws -> String {
        try await standing(destination, in: organization).name
    }

    /// The same, and the port that it listens at, where it does. No name is resolved for it.
    ///
    /// - Throws: `Broadcasts.Failure.noSuchDestination`.
    func standing(_ destination: DestinationID, in organization: OrganizationID) async throws -> (name: String, listener: ListenerPlace?) {
        do {
            let found = try await store.destinations(in: OrganizationScope(organization, by: .system)).find(destination)
            return (found.name, found.endpoint.listenerPlace)
        } catch StoreError.missing {
            throw BroadcastDirector.Failure.noSuchDestination(destination)
        }
    }

    private func target(
        _ endpoint: DestinationEndpoint, _ secret: Secret?, _ organization: OrganizationID
    ) async throws -> OutputSpec.Target {
        switch endpoint {
        case .rtmp(let rtmp):
            let address = try await lookups.admit(host: rtmp.host, port: rtmp.port, for: organization.text)
            return .rtmp(
                RTMPTarget(
                    tls: rtmp.tls, host: rtmp.host, port: rtmp.port, application: rtmp.application,
                    streamKey: SecretOnWire(secret ?? Secret("")), address: address.host))
        case .srt(let srt):
            // A listener names an address of the receiver's own machine: there is nobody to connect to.
            let address =
                srt.mode == .listener ? srt.host : try await lookups.admit(host: srt.host, port: srt.port, for: organization.text).host
            return .srt(
                SRTTarget(
                    mode: srt.mode, address: address, port: srt.port, passphrase: secret.map(SecretOnWire.init), streamID: srt.streamID,
                    latencyMs: srt.latencyMs))
        }
    }
}
