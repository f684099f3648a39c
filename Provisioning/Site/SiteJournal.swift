import Glibc
package import Installation
import Posix

/// The journal of a machine, in a file of root's.
package enum SiteJournal {
    /// With the right to change it, as long as the store lives: one tool at a time.
    ///
    /// - Throws: where another tool is at work.
    package static func change(on machine: HostMachine) throws -> JournalStore {
        let folder = machine.place(SitePaths.tool)
        try Folder.make(folder)
        try FileWork.makeFolder(folder, FileWork.own, mode: 0o700)
        let lock = try FolderLock(folder)
        return store(machine) { withExtendedLifetime(lock) {} }
    }

    /// For looking alone: nothing is made.
    package static func read(on machine: HostMachine) -> JournalStore { store(machine) {} }

    /// After a purge: with it goes the last that was ever made.
    package static func erase(on machine: HostMachine) throws { try FileWork.removeTree(machine.place(SitePaths.tool)) }

    private static func store(_ machine: HostMachine, _ hold: @escaping @Sendable () -> Void) -> JournalStore {
        let file = machine.place(SitePaths.journal)
        return JournalStore(
            read: { try FileWork.read(file) },
            write: { bytes in
                hold()
                try FileWork.write(bytes, to: file, FileWork.own, mode: 0o600)
            })
    }
}
