import Crypto
import FoundationEssentials
import Glibc
import Posix
import Releases

/// The files of a release as they lie on disk: `PRODUCT/MACHINE/path`.
struct ReleaseFolder {
    private let root: String

    init(_ root: String) { self.root = root }

    /// - Throws: `Arguments.Fault` for what is neither a regular file nor a folder, and for names that no release has.
    func files() throws -> [ReleaseFile] {
        var files: [ReleaseFile] = []
        for product in try names("") {
            guard let kind = ReleaseProduct(rawValue: product) else {
                let known = ReleaseProduct.allCases.map(\.rawValue).joined(separator: ", ")
                throw Arguments.Fault("\(root)/\(product): a folder is named \(known)")
            }
            for machine in try names(product) {
                guard let machineClass = MachineClass(machine) else {
                    throw Arguments.Fault("\(root)/\(product)/\(machine): a machine is named by a-z, 0-9 and hyphens")
                }
                try add(to: &files, kind, machineClass, below: "")
            }
        }
        return files
    }

    /// - Parameter path: of a folder below the machine's; empty or ended by a slash.
    private func add(to files: inout [ReleaseFile], _ product: ReleaseProduct, _ machine: MachineClass, below path: String) throws {
        let folder = "\(product.rawValue)/\(machine)/\(path)"
        for name in try names(folder) {
            // Refused here already: a folder that leads into itself would be walked for ever.
            guard ReleaseFile.isPath(path + name) else { throw Arguments.Fault("\(root)/\(folder)\(name): a release has no such name") }
            var status = stat()
            let place = "\(root)/\(folder)\(name)"
            guard lstat(place, &status) == 0 else { throw Arguments.Fault(SystemError("lstat", on: place).description) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try add(to: &files, product, machine, below: "\(path)\(name)/")
            case S_IFREG:
                let (size, digest) = try Self.read(place)
                let file = ReleaseFile(
                    product: product, machine: machine, isExecutable: status.st_mode & 0o100 != 0, size: size, digest: digest,
                    path: path + name)
                guard let file else { throw Arguments.Fault("\(place): a file has at most \(ReleaseFile.sizeLimit) bytes") }
                files.append(file)
            default: throw Arguments.Fault("\(place) is neither a regular file nor a folder: a release has no other")
            }
        }
    }

    private func names(_ folder: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted()
        } catch {
            throw Arguments.Fault("\(root)/\(folder) cannot be read as a folder: \(error)")
        }
    }

    private static func read(_ path: String) throws -> (size: Int, digest: [UInt8]) {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard raw >= 0 else { throw Arguments.Fault(SystemError("open", on: path).description) }
        let file = Descriptor(adopting: raw)
        var digest = SHA256Digest()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var size = 0
        while true {
            let count = Glibc.read(file.raw, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Arguments.Fault(SystemError("read", on: path).description) }
            if count == 0 { return (size, digest.finished()) }
            size += count
            digest.add(count == chunk.count ? chunk : Array(chunk.prefix(count)))
        }
    }
}
