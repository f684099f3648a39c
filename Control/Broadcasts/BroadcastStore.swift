import Configuration
import Fleet
import FoundationEssentials
import Store
import Units
import Wire

/// Broadcasts in the store: the machine whole, as one JSON document.
struct BroadcastStore: Sendable {
    let store: ControlStore
    /// Where the files of recordings go that begin.
    var place = RecordingPlace.disk

    struct Record: Sendable {
        let machine: BroadcastMachine
        let createdAtMs: Int64
        let endedAtMs: Int64?

        init(_ stored: StoredBroadcast) throws {
            machine = try JSONDecoder().decode(BroadcastMachine.self, from: Data(stored.document.utf8))
            createdAtMs = stored.createdAt.unixMs
            endedAtMs = stored.endedAt?.unixMs
        }
    }

    /// - Parameter record: what whoever starts it says of its recording; nil: nothing.
    func create(_ machine: BroadcastMachine, streamKey: Secret, record: Bool? = nil, by author: Author) async throws {
        try await broadcasts(machine.organization, author).create(
            machine.id, machine.kind, sender: machine.sender, state: machine.state.name, document: document(machine), streamKey: streamKey,
            recording: RecordingWish(isAsked: record, place: place))
    }

    /// What a lease is to record; nil: nothing.
    func recording(of machine: BroadcastMachine, by lease: LeaseID, on host: DeviceID) async throws -> RecordingSpec? {
        try await recordings(machine.organization).take(of: machine.id, by: lease, on: host)
    }

    func recordingBegan(of machine: BroadcastMachine) async throws { try await recordings(machine.organization).began(of: machine.id) }

    private func recordings(_ organization: OrganizationID) -> StoredRecordings {
        store.recordings(in: OrganizationScope(organization, by: .system))
    }

    func save(_ machine: BroadcastMachine, hasEnded: Bool, telling events: [NewEvent]) async throws {
        try await broadcasts(machine.organization).save(
            machine.id, machine.kind, state: machine.state.name, document: document(machine), hasEnded: hasEnded, telling: events)
    }

    /// Tells what was observed and changes nothing that is stored.
    func tell(_ events: [NewEvent], of machine: BroadcastMachine) async throws {
        try await store.tell(events, in: OrganizationScope(machine.organization, by: .system))
    }

    func streamKey(of machine: BroadcastMachine) async throws -> Secret {
        try await broadcasts(machine.organization).streamKey(of: machine.id)
    }

    /// What its organisation wants shown while the sender is silent; nil: the receiver's own picture.
    func slate(of machine: BroadcastMachine) async throws -> SlateFile? {
        try await store.slates(in: OrganizationScope(machine.organization, by: .system)).find().map { picture in
            SlateFile(kind: picture.kind, base64: Data(picture.bytes).base64EncodedString())
        }
    }

    func find(_ id: BroadcastID, in organization: OrganizationID) async throws -> Record? {
        try await broadcasts(organization).find(id).map(Record.init)
    }

    /// Those of a kind, the newest first.
    func all(_ kind: StoredBroadcasts.Kind = .broadcast, in organization: OrganizationID, limit: Int = 100) async throws -> [Record] {
        try await broadcasts(organization).newest(limit, kind).map(Record.init)
    }

    func unfinished() async throws -> [Record] {
        try await store.unfinishedBroadcasts().map { try Record($0) }
    }

    /// Where boards reach a pool host, as it last said; it has been connected before a broadcast was given to it.
    func addresses(of host: DeviceID) async throws -> [String] {
        try await store.pools.find(host).pool?.addresses ?? []
    }

    /// What a sender is configured to be by the version it runs; the standard where it runs none that is known here.
    func configuration(
        _ version: Int, of sender: DeviceID, in organization: OrganizationID
    ) async throws -> Configuration.SenderConfiguration {
        do {
            return try await store.configuration(version, of: sender, in: OrganizationScope(organization, by: .system))
        } catch let faults as ConfigurationFaults {
            // It was good when it was saved; this control is of another version.
            let reason = faults.faults.map(\.description).listed(within: 900)
            throw BroadcastDirector.Failure.unsupported("the sender's configuration \(version) cannot be read any more: \(reason)")
        }
    }

    private func broadcasts(_ organization: OrganizationID, _ author: Author = .system) -> StoredBroadcasts {
        store.broadcasts(in: OrganizationScope(organization, by: author))
    }

    private func document(_ machine: BroadcastMachine) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(machine), as: UTF8.self)
    }
}

extension BroadcastMachine {
    var kind: StoredBroadcasts.Kind { rehearsal == nil ? .broadcast : .rehearsal }
}
