import Crypto
import Posix
import Releases
import Site

/// Whom this server believes: the list of keys that root has installed, and those that have followed it. What control hands over is held
/// against them.
struct ServerTrust: Sendable {
    let machine: HostMachine

    /// Of lists that are taken at once, by a server that was away.
    private static let listLimit = 64

    /// - Throws: where the installed list is missing or is none.
    func load() throws -> ReleaseTrust {
        let file = machine.place(SitePaths.releaseKeys)
        guard let bytes = try KeptFile.read(file, upTo: SignedText.byteLimit) else {
            throw UpgradeFault("\(SitePaths.releaseKeys) is not there: without it this server takes no release")
        }
        var trust = try ReleaseTrust(shipped: try SignedText(bytes: bytes))
        for (folder, isOurs) in [(UpgradePaths.state, true), (UpgradePaths.shelf, false)] {
            for _ in 0..<Self.listLimit {
                let name = "keys.\(trust.keys.number + 1)"
                // try?: what is no list, or none that follows ours, is as good as none.
                guard let bytes = try? KeptFile.read("\(machine.place(folder))/\(name)", upTo: SignedText.byteLimit),
                    let text = try? SignedText(bytes: bytes), (try? trust.take(text)) == true
                else { break }
                if !isOurs { try KeptFile.write(text.bytes, to: "\(machine.place(UpgradePaths.state))/\(name)") }
            }
        }
        return trust
    }

    /// What lies on the shelf under a version, where it is the one that is meant.
    func offered(_ version: ReleaseVersion, _ digest: [UInt8]) throws -> SignedText {
        guard let text = try KeptFile.read("\(machine.place(UpgradePaths.shelf))/\(version).release", upTo: SignedText.byteLimit) else {
            throw UpgradeFault("\(version) is not on the shelf")
        }
        let document = try SignedText(bytes: text)
        guard SHA256.hash(document.text) == digest else { throw UpgradeFault("on the shelf lies another \(version) than was chosen") }
        return document
    }
}
