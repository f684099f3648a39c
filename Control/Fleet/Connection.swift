import Posix
import Store
package import Units
package import Web
package import Wire

/// One authenticated connection of a device: gives orders and waits for their outcomes.
package actor Connection {
    package nonisolated let device: DeviceID
    package nonisolated let kind: DeviceKind
    /// nil for a pool host.
    package nonisolated let organization: OrganizationID?
    package nonisolated let socket: WebSocket
    /// That it was proven with.
    package nonisolated let publicKey: [UInt8]
    private var pending: [CommandID: CheckedContinuation<Answer, Never>] = [:]
    private var isOver = false

    package init(device: DeviceID, kind: DeviceKind, organization: OrganizationID?, publicKey: [UInt8], socket: WebSocket) {
        self.device = device
        self.kind = kind
        self.organization = organization
        self.publicKey = publicKey
        self.socket = socket
    }

    /// What the device itself does in the store.
    nonisolated func scope(_ organization: OrganizationID) -> OrganizationScope { OrganizationScope(organization, by: .device(device)) }

    /// Sends an order and waits for its outcome, `WireLimits.commandSeconds` at most.
    package func order<Order: Message>(_ order: Order) async -> Answer {
        var random = SystemRandomNumberGenerator()
        let id = CommandID(ULID(unixMs: unixMilliseconds(), random: &random))
        let text = Feed.json(Command(id: id, order: order))
        guard !isOver else { return .unknown }
        let limit = Task {
            // try?: a limit that was cancelled has nothing left to do.
            guard (try? await Task.sleep(for: .seconds(WireLimits.commandSeconds))) != nil else { return }
            self.settle(id, .unknown)
        }
        defer { limit.cancel() }
        return await withCheckedContinuation { continuation in
            pending[id] = continuation
            Task {
                do { try await socket.send(text) } catch { settle(id, .unknown) }
            }
        }
    }

    /// An outcome came in. One that nobody waits for any more is dropped: its order was given again, and orders are idempotent.
    package func finished(_ outcome: CommandOutcome) { settle(outcome.id, .outcome(outcome)) }

    /// The connection is gone: whatever was asked is unknown.
    package func ended() {
        isOver = true
        for id in pending.keys { settle(id, .unknown) }
    }

    private func settle(_ id: CommandID, _ answer: Answer) {
        pending.removeValue(forKey: id)?.resume(returning: answer)
    }
}
