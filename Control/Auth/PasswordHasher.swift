import CArgon2
import Crypto
import Glibc
import Posix
package import Units

/// Argon2id (SEC-02): hashes and checks passwords on threads of its own, a few at a time, never on the pool's or a loop's.
///
/// A check takes about 0.3 s and 64 MiB, so what does not fit into the queue is refused as busy instead of waiting for ever.
package final class PasswordHasher: Sendable {
    /// The cost; it stands in each hash, so that it can grow: older hashes are made anew at the next login.
    package struct Cost: Sendable, Hashable {
        package let passes: UInt32
        package let kibibytes: UInt32
        package let lanes: UInt32

        package init(passes: UInt32, kibibytes: UInt32, lanes: UInt32) {
            self.passes = passes
            self.kibibytes = kibibytes
            self.lanes = lanes
        }

        /// t = 3, m = 64 MiB, p = 1. Source: RFC 9106, section 4, the second recommended option, with one lane.
        package static let standard = Cost(passes: 3, kibibytes: 65_536, lanes: 1)
    }

    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let cost: Cost
    private let concurrent: Int
    private let bound: Int
    /// A hash that no password has, at the same cost: checked for users who are not there.
    private let decoy: Secret
    private let state = Guarded(State())

    private static let saltBytes = 16
    private static let hashBytes = 32

    /// - Parameters:
    ///   - concurrent: checks at once.
    ///   - waiting: checks that may wait for their turn.
    package init(cost: Cost = .standard, concurrent: Int = 2, waiting: Int = 16) {
        self.cost = cost
        self.concurrent = concurrent
        bound = waiting
        decoy = Secret(
            "\(Self.prefix(cost))\(Self.base64(randomBytes(Self.saltBytes)))$\(Self.base64(randomBytes(Self.hashBytes)))")
    }

    /// The hash of a new password, in its own text form with salt and cost.
    ///
    /// - Throws: `.weakPassword`, `.busy`, `.hashing`.
    package func hash(_ password: Secret) async throws -> Secret {
        // NIST SP 800-63B, 5.1.1.2: at least 8 characters, and no rule about their kind; the bound keeps a request's cost down.
        guard password.revealed.count >= 8, password.revealed.utf8.count <= 256 else {
            throw AuthError.weakPassword("8 characters to 256 bytes")
        }
        let cost = cost
        return try await onThread { try Self.encode(password, cost) }
    }

    /// Whether the password belongs to the hash; for nil, somebody without one, it costs the same and is false.
    ///
    /// - Throws: `.busy`.
    package func verify(_ password: Secret, against hash: Secret?) async throws -> Bool {
        let encoded = hash ?? decoy
        let fits = try await onThread {
            let bytes = Array(password.revealed.utf8.prefix(1024))
            return argon2id_verify(encoded.revealed, bytes, bytes.count) == ARGON2_OK.rawValue
        }
        return fits && hash != nil
    }

    /// Whether a hash was made at another cost than is asked for now.
    package func isOutdated(_ hash: Secret) -> Bool { !hash.revealed.hasPrefix(Self.prefix(cost)) }

    private static func encode(_ password: Secret, _ cost: Cost) throws -> Secret {
        let bytes = Array(password.revealed.utf8)
        let salt = randomBytes(saltBytes)
        let count = argon2_encodedlen(cost.passes, cost.kibibytes, cost.lanes, UInt32(saltBytes), UInt32(hashBytes), Argon2_id)
        var encoded = [CChar](repeating: 0, count: count)
        let code = argon2id_hash_encoded(
            cost.passes, cost.kibibytes, cost.lanes, bytes, bytes.count, salt, salt.count, hashBytes, &encoded, encoded.count)
        guard code == ARGON2_OK.rawValue else { throw AuthError.hashing(code: code, String(cString: argon2_error_message(code))) }
        return Secret(String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    private static func prefix(_ cost: Cost) -> String { "$argon2id$v=19$m=\(cost.kibibytes),t=\(cost.passes),p=\(cost.lanes)$" }

    /// Base 64 as argon2's text form writes it: the common alphabet without padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        String(Base64URL.encode(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    }
}

extension PasswordHasher {
    private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job: @Sendable () -> Void = { continuation.resume(with: Result { try work() }) }
            do {
                try submit(job)
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private enum Place { case newThread, queue, none }

    private func submit(_ job: @escaping @Sendable () -> Void) throws {
        let place: Place = state.withLock { state in
            if state.running < concurrent {
                state.running += 1
                return .newThread
            }
            guard state.waiting.count < bound else { return .none }
            state.waiting.append(job)
            return .queue
        }
        switch place {
        case .queue: break
        case .none: throw AuthError.busy
        case .newThread: try startThread(with: job)
        }
    }

    /// A thread that does `job`, then what waits, and ends when nothing does.
    private func startThread(with job: @escaping @Sendable () -> Void) throws {
        let context = Unmanaged.passRetained(Shift(hasher: self, first: job))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Shift>.fromOpaque(context).takeRetainedValue().work() }
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            state.withLock { $0.running -= 1 }
            throw SystemError("pthread_create", code)
        }
        pthread_detach(thread)
    }

    fileprivate func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}

/// What one hashing thread does until nothing waits.
private final class Shift: Sendable {
    private let hasher: PasswordHasher
    private let first: @Sendable () -> Void

    init(hasher: PasswordHasher, first: @escaping @Sendable () -> Void) {
        self.hasher = hasher
        self.first = first
    }

    func work() {
        first()
        while let job = hasher.next() { job() }
    }
}
