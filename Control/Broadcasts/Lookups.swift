import Posix
import Units
import Web

/// Looks up where outputs go: for no longer than a person waits, and of each organisation some names at a time.
///
/// A name server answers when it likes, and one may be the attacker's. A look-up cannot be cancelled: one that is left behind counts
/// until it has ended, so that one organisation's names never hold up another's.
actor Lookups {
    typealias Admission = @Sendable (_ host: String, _ port: Int) async -> Result<SocketAddress, OutboundGuard.Refusal>

    private let admission: Admission
    private var running: [OrganizationID: Int] = [:]

    /// Of the 16 that a process has at all.
    static let limit = 4
    private let patience: Duration

    /// - Parameter admission: resolves, and asks the outbound guard.
    init(patience: Duration = .seconds(3), admission: @escaping Admission) {
        self.admission = admission
        self.patience = patience
    }

    /// The address that may be connected to.
    func admit(host: String, port: Int, for organization: OrganizationID) async throws(OutboundGuard.Refusal) -> SocketAddress {
        if SocketAddress(host, port: port) != nil { return try await admission(host, port).get() }
        guard running[organization, default: 0] < Self.limit else {
            throw .unresolvable(host: host, reason: "\(Self.limit) names of your organisation are waited for already")
        }
        running[organization, default: 0] += 1
        let result = await withCheckedContinuation { continuation in
            let waiting = Guarded<CheckedContinuation<Result<SocketAddress, OutboundGuard.Refusal>, Never>?>(continuation)
            let answer = { @Sendable (result: Result<SocketAddress, OutboundGuard.Refusal>) in
                waiting.withLock { waiting in
                    defer { waiting = nil }
                    return waiting
                }?.resume(returning: result)
            }
            let timer = Task {
                // try?: one that was cancelled has its answer.
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                answer(
                    .failure(.unresolvable(host: host, reason: "the name server did not answer within \(patience.milliseconds / 1000) s")))
            }
            Task {
                let result = await admission(host, port)
                timer.cancel()
                ended(organization)
                answer(result)
            }
        }
        return try result.get()
    }

    private func ended(_ organization: OrganizationID) {
        let left = running[organization, default: 1] - 1
        running[organization] = left > 0 ? left : nil
    }
}
