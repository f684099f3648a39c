import Glibc

/// A value behind a pthread lock.
///
/// Over pthread, not `Synchronization.Mutex`: ThreadSanitizer reports a false race on that one (Swift 6.3.1).
package final class Guarded<Value>: @unchecked Sendable {
    // Sendable by the lock: `value` is touched only between lock and unlock.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_mutex_t())
        let code = pthread_mutex_init(lock, nil)
        precondition(code == 0, "a mutex with default attributes cannot fail to initialise")
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Runs `body` with the lock held; it must not wait for anything.
    package func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }
}
