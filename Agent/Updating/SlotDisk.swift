package import Posix

/// One change to what lies on a disk.
package enum DiskChange: Hashable, Sendable {
    /// A file that is not there is made.
    case append([UInt8], to: String)
    case makeFolder(String)
    case makeLink(String, to: String)
    case setMode(UInt32, of: String)
    /// Unix seconds at which a file was written.
    case setTime(Int64, of: String)
    case rename(String, to: String)
    /// Two names change places.
    case exchange(String, String)
    /// A file's bytes, or a folder's names, are on the disk when it is done.
    case sync(String)
    /// A folder with what is in it; nothing is no error.
    case remove(String)
}

/// The disk that slots lie on, so that a test can have it fail, or lose power, at any change.
package protocol SlotDisk: Sendable {
    func look(_ path: String) throws(SystemError) -> FileTree.Entry?
    func read(_ path: String, _ range: Range<Int>) throws(SystemError) -> [UInt8]
    func change(_ change: DiskChange) throws(SystemError)
}

/// The system's own.
package struct SystemDisk: SlotDisk {
    package init() {}

    package func look(_ path: String) throws(SystemError) -> FileTree.Entry? { try FileTree.look(path) }

    package func read(_ path: String, _ range: Range<Int>) throws(SystemError) -> [UInt8] { try FileTree.read(path, range) }

    package func change(_ change: DiskChange) throws(SystemError) {
        switch change {
        case .append(let bytes, let path): try FileTree.append(bytes, to: path)
        case .makeFolder(let path): try FileTree.makeFolder(path)
        case .makeLink(let path, let target): try FileTree.makeLink(path, to: target)
        case .setMode(let mode, let path): try FileTree.setMode(mode, of: path)
        case .setTime(let time, let path): try FileTree.setTime(time, of: path)
        case .rename(let path, let other): try FileTree.rename(path, to: other)
        case .exchange(let path, let other): try FileTree.exchange(path, other)
        case .sync(let path): try FileTree.sync(path)
        case .remove(let path): try FileTree.remove(path)
        }
    }
}
