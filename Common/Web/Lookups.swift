package import Posix

/// Looks up addresses that people name: for no longer than a person waits, and of each organisation some names at a time.
///
/// A name server answers when it likes, and one may be the attacker's. A look-up cannot be cancelled: one that is left behind counts
/// until it has ended, so that one organisation's names never hold up another's.
package actor Lookups {
    package typealias Admission = @Sendable (_ host: String, _ port: Int) async -> Result<SocketAddress, OutboundGuard.Refusal>

    private let admission: Admission
    private var running: [String: Int] = [:]
    /// Those that have no place yet, by their number, the first one first.
    private var waiting: [String: [(number: Int, place: CheckedContinuation<Bool, Never>)]] = [:]
    private var lastNumber = 0

    /// Of the 16 that a process has at all.
    package static let limit = 4
    /// Those of an organisation that wait for a place; one more is refused at once.
    package static let queueLimit = 64
    private let patience: Duration

    /// - Parameter admission: resolves, and asks the outbound guard.
    package init(patience: Duration = .seconds(3), admission: @escaping Admission) {
        self.admission = admission
        self.patience = patience
    }

    /// Asks a guard.
    package init(_ outbound: OutboundGuard) {
        self.init { host, port in
            do throws(OutboundGuard.Refusal) {
                return .success(try await outbound.admit(host: host, port: port))
            } catch {
                return .failure(error)
            }
        }
    }

    /// The address that may be connected to, or why there is none, within the patience.
    ///
    /// - Parameter organization: its id: whose names are counted together.
    package func admit(host: String, port: Int, for organization: String) async throws(OutboundGuard.Refusal) -> SocketAddress {
        if SocketAddress(host, port: port) != nil { return try await admission(host, port).get() }
        let end = Instant.now + patience
        guard await enter(organization) else {
            throw .unresolvable(host: host, reason: "\(Self.limit) names of your organisation are waited for already")
        }
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
                guard (try? await Task.sleep(for: end - Instant.now)) != nil else { return }
                answer(
                    .failure(.unresolvable(host: host, reason: "the name server did not answer within \(patience.components.seconds) s")))
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

    /// Waits for one of the organisation's places.
    private func enter(_ organization: String) async -> Bool {
        guard running[organization, default: 0] >= Self.limit else {
            running[organization, default: 0] += 1
            return true
        }
        guard waiting[organization, default: []].count < Self.queueLimit else { return false }
        lastNumber += 1
        let number = lastNumber
        let timer = Task {
            // try?: one that was cancelled has its place.
            guard (try? await Task.sleep(for: patience)) != nil else { return }
            call(number, organization, hasPlace: false)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { waiting[organization, default: []].append((number, $0)) }
    }

    /// Ends the wait of one, where it still waits.
    private func call(_ number: Int, _ organization: String, hasPlace: Bool) {
        guard let index = waiting[organization]?.firstIndex(where: { $0.number == number }) else { return }
        waiting[organization]?.remove(at: index).place.resume(returning: hasPlace)
        if waiting[organization]?.isEmpty == true { waiting[organization] = nil }
    }

    private func ended(_ organization: String) {
        // Its place is the next one's.
        if let next = waiting[organization]?.first { return call(next.number, organization, hasPlace: true) }
        let left = running[organization, default: 1] - 1
        running[organization] = left > 0 ? left : nil
    }
}
