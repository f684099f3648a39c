// Rehearsals: broadcasts to nowhere, which make way for those that go somewhere.
import Crypto
import Posix
package import Store
package import Units
package import Wire

extension BroadcastDirector {
    /// As many as are listed: each has its report.
    package static let rehearsalLimit = 20

    package func rehearse(
        _ request: RehearsalRequest, in organization: OrganizationID, by author: Author
    ) async throws -> RehearsalView {
        guard let hello = await parts.fleet.hello(of: request.sender) else { throw Failure.senderOffline }
        try admitRehearsal(of: request.sender)
        let defaults = try await parts.store.configuration(hello.configuration.version, of: request.sender, in: organization)
        let media = try media(for: request.start, hello: hello, defaults: defaults)
        let usage = await parts.fleet.telemetry(of: request.sender)?.usage ?? []
        let rehearsal = Rehearsal(
            seconds: request.seconds ?? RehearsalRequest.standardSeconds, encoder: media.encoder, maximum: defaults.maximumBitrate,
            protection: media.protection ?? .throughput, hasSound: hello.inventory.hasSound(media.input),
            tightest: .tightest(of: usage, over: media.links))
        let machine = BroadcastMachine(
            id: .fresh(), organization: organization, sender: request.sender, lease: .fresh(), media: media, outputs: [],
            grace: Rehearsal.grace, rehearsal: rehearsal)
        // A start may have come first meanwhile.
        try admitRehearsal(of: request.sender)
        let createdAtMs = unixMilliseconds()
        let beginning = Task {
            try await parts.store.create(machine, streamKey: Secret(Hex.encode(randomBytes(32))), by: author)
            await begin(machine, createdAtMs: createdAtMs, origin: .started(by: author.user))
        }
        beginnings[request.sender] = beginning
        defer { beginnings[request.sender] = nil }
        try await beginning.value
        guard let view = RehearsalView.of(machine, createdAtMs: createdAtMs, endedAtMs: nil) else { throw Failure.noSuchRehearsal }
        return view
    }

    private func admitRehearsal(of sender: DeviceID) throws {
        for one in broadcasts(of: sender) { throw one.isRehearsal ? Failure.rehearsing : Failure.busy(one.id) }
        guard beginnings[sender] == nil else { throw Failure.rehearsing }
        guard starts[sender] == nil else { throw Failure.isStarting }
    }

    func finishedStart(of sender: DeviceID) {
        let left = (starts[sender] ?? 1) - 1
        starts[sender] = left > 0 ? left : nil
    }

    /// A show waits for no rehearsal: it is told to end, on both sides at once, and is gone within `Rehearsal.undoMs`.
    func endRehearsals(of sender: DeviceID) async {
        // try?: why it was not made is told to whoever asked for it.
        _ = try? await beginnings[sender]?.value
        for one in broadcasts(of: sender) where one.isRehearsal {
            one.post(.rehearsalOver(.overtaken))
            await runs[one.id]?.value
        }
    }

    /// Stopping what is over already is no error.
    package func stopRehearsal(_ id: BroadcastID, in organization: OrganizationID, by author: Author) async throws -> RehearsalView {
        if let one = live[id], one.organization == organization, one.isRehearsal {
            one.post(.rehearsalOver(.stopped), by: author.user)
            _ = await one.settledView()
        }
        return try await rehearsal(id, in: organization)
    }

    package func rehearsal(_ id: BroadcastID, in organization: OrganizationID) async throws -> RehearsalView {
        if let one = live[id], one.organization == organization, let view = await one.rehearsalView { return view }
        guard let record = try await parts.store.find(id, in: organization),
            let view = RehearsalView.of(record.machine, createdAtMs: record.createdAtMs, endedAtMs: record.endedAtMs)
        else { throw Failure.noSuchRehearsal }
        return view
    }

    /// The newest first.
    package func rehearsals(in organization: OrganizationID) async throws -> [RehearsalView] {
        var views: [RehearsalView] = []
        for record in try await parts.store.all(.rehearsal, in: organization, limit: Self.rehearsalLimit) {
            views.append(try await rehearsal(record.machine.id, in: organization))
        }
        return views
    }

    /// Whether a sender has one now.
    package func isRehearsing(_ sender: DeviceID) -> Bool { broadcasts(of: sender).contains { $0.isRehearsal } }
}

extension RehearsalRequest {
    /// The start that is rehearsed.
    fileprivate var start: StartRequest {
        StartRequest(
            sender: sender, destinations: [], input: input, encoder: encoder, bufferMs: bufferMs, links: links, protection: protection)
    }
}

extension Inventory {
    /// Of an input that is not known nothing is said.
    fileprivate func hasSound(_ choice: InputChoice) -> Bool {
        choice.audio != nil || inputs.first { $0.id == choice.video }.map { $0.media == .both } ?? true
    }
}
