import CSQLite
import Glibc

/// The file layer that a database is opened on. Source: sqlite.org/vfs.html
package struct Disk: Sendable {
    /// The layer's name; nil for SQLite's default.
    let name: String?

    package static let system = Disk(name: nil)
}

#if DEBUG
    /// A disk that fails when a test says so: SQLite's own file layer with a counter before each write, sync and truncation.
    ///
    /// For the loop that fails the Nth call, for every N, until the run passes. Lives as long as the process.
    package final class FailingDisk: @unchecked Sendable {
        // Sendable by `mutex`: the counters are touched only with it held; the rest is set in `init`.
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private var count = 0
        private var failing: Range<Int> = 0..<0
        private let layer: UnsafeMutablePointer<sqlite3_vfs>
        private let name: UnsafeMutablePointer<CChar>
        /// By the table that each counts before. Touched with `mutex` held.
        private var tables: [UnsafePointer<sqlite3_io_methods>: UnsafePointer<sqlite3_io_methods>] = [:]

        package let disk: Disk

        private static let extraOffset = (Int(sqlite3_vfs_find(nil).pointee.szOsFile) + 15) / 16 * 16

        package init() {
            mutex = .allocate(capacity: 1)
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
            layer = .allocate(capacity: 1)
            layer.initialize(to: sqlite3_vfs_find(nil).pointee)
            let text = "failing-\(UInt(bitPattern: layer))"
            disk = Disk(name: text)
            name = strdup(text)
            layer.pointee.zName = UnsafePointer(name)
            layer.pointee.pNext = nil
            layer.pointee.szOsFile = CInt(Self.extraOffset + MemoryLayout<Extra>.size)
            // Never released: SQLite keeps the layer's address.
            layer.pointee.pAppData = Unmanaged.passRetained(self).toOpaque()
            layer.pointee.xOpen = { layer, name, file, flags, outFlags in
                guard let layer, let file, let system = sqlite3_vfs_find(nil) else { return SQLITE_MISUSE }
                let code = system.pointee.xOpen(system, name, file, flags, outFlags)
                if code == SQLITE_OK { FailingDisk.of(layer).adopt(file) }
                return code
            }
            sqlite3_vfs_register(layer, 0)
        }

        /// Lets operations fail, counted from now, the first being 0; every later one succeeds.
        package func fail(_ operations: Range<Int>) {
            locked {
                count = 0
                failing = operations
            }
        }

        /// Writes, syncs and truncations since the last `fail`.
        package var operations: Int { locked { count } }

        private func locked<Value>(_ body: () -> Value) -> Value {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return body()
        }

        private func mayGoOn() -> Bool {
            locked {
                defer { count += 1 }
                return !failing.contains(count)
            }
        }

        private static func of(_ layer: UnsafeMutablePointer<sqlite3_vfs>) -> FailingDisk {
            Unmanaged<FailingDisk>.fromOpaque(layer.pointee.pAppData).takeUnretainedValue()
        }

        /// What lies behind the default layer's part of a file's memory.
        private struct Extra {
            let disk: Unmanaged<FailingDisk>
            /// The default layer has several tables: a database's files lock, their logs do not.
            let original: UnsafePointer<sqlite3_io_methods>
        }

        private static func extra(of file: UnsafeMutablePointer<sqlite3_file>) -> Extra {
            UnsafeRawPointer(file).load(fromByteOffset: extraOffset, as: Extra.self)
        }

        /// Puts the counter before the calls of a file that the default layer has opened.
        private func adopt(_ file: UnsafeMutablePointer<sqlite3_file>) {
            guard let original = file.pointee.pMethods else { return }
            UnsafeMutableRawPointer(file).storeBytes(
                of: Extra(disk: .passUnretained(self), original: original), toByteOffset: Self.extraOffset, as: Extra.self)
            file.pointee.pMethods = locked { counting(original) }
        }

        private func counting(_ original: UnsafePointer<sqlite3_io_methods>) -> UnsafePointer<sqlite3_io_methods> {
            if let kept = tables[original] { return kept }
            let made = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
            made.initialize(to: original.pointee)
            made.pointee.xWrite = { file, bytes, count, offset in
                guard let file else { return SQLITE_MISUSE }
                let extra = FailingDisk.extra(of: file)
                guard extra.disk.takeUnretainedValue().mayGoOn() else { return SQLITE_FULL }
                return extra.original.pointee.xWrite(file, bytes, count, offset)
            }
            made.pointee.xSync = { file, flags in
                guard let file else { return SQLITE_MISUSE }
                let extra = FailingDisk.extra(of: file)
                guard extra.disk.takeUnretainedValue().mayGoOn() else { return SQLITE_IOERR }
                return extra.original.pointee.xSync(file, flags)
            }
            made.pointee.xTruncate = { file, size in
                guard let file else { return SQLITE_MISUSE }
                let extra = FailingDisk.extra(of: file)
                guard extra.disk.takeUnretainedValue().mayGoOn() else { return SQLITE_IOERR }
                return extra.original.pointee.xTruncate(file, size)
            }
            tables[original] = UnsafePointer(made)
            return UnsafePointer(made)
        }
    }
#endif
