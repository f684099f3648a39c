import Crypto
import Releases
import Updating

/// A key that fuzzing knows, so that what it makes gets past the signature.
private let key = try? Ed25519PrivateKey(seed: [UInt8](repeating: 5, count: 32))
private let root = try? Ed25519PrivateKey(seed: [UInt8](repeating: 6, count: 32))

/// A signed text as it comes, and the same bytes as the text of a good signature: nobody is believed without a key, and each text that is
/// read is the one that is written.
package func fuzzRelease(_ bytes: [UInt8]) -> String? {
    guard let key, let root else { return "no keys" }
    guard let list = try? KeyList(number: 1, roots: [root.publicKey], releases: [.init(key: key.publicKey, end: 100)]),
        let shipped = try? SignedText(list.bytes, by: [root]), var trust = try? ReleaseTrust(shipped: shipped)
    else { return "no trust" }
    let time = ReleaseTime(clock: 99, floor: 0)
    if let document = try? SignedText(bytes: bytes) {
        if document.bytes != bytes { return "a signed text that is other bytes again" }
        let isOurs = [key, root].contains { document.isSigned(by: $0.publicKey) }
        if !isOurs, (try? trust.release(in: document, at: time)) != nil { return "a release of nobody" }
        if !isOurs, document.text != list.bytes, (try? trust.take(document)) != nil { return "keys of nobody" }
    }
    if let keys = try? KeyList(bytes: bytes), keys.bytes != bytes { return "a list of keys that is other bytes again" }
    guard let signed = try? SignedText(bytes, by: [key]), let release = try? trust.release(in: signed, at: time) else { return nil }
    let manifest = release.manifest
    if manifest.bytes != bytes { return "a manifest that is other bytes again" }
    let names = manifest.files.flatMap { $0.path.split(separator: "/", omittingEmptySubsequences: false) }
    if names.contains(where: { $0.isEmpty || $0.hasPrefix(".") }) { return "a path that leaves its slot" }
    return manifest.files.count * 80 <= bytes.count ? nil : "more files than there are bytes for"
}

/// What an agent says of itself to the updater beside it: whatever is read is what would be written, and has no more names than it may.
package func fuzzAgentReport(_ bytes: [UInt8]) -> String? {
    guard let (report, number) = try? AgentReport.read(bytes) else { return nil }
    if report.bytes(number: number) != bytes { return "a report that is other bytes again" }
    return report.openInputs.count <= 32 && report.liveLinks.count <= 32 ? nil : "more names than there may be"
}

/// What control asks of the server's updater, who is root: whatever is read is what would be written, and a copy's name leaves no folder.
package func fuzzServerOrder(_ bytes: [UInt8]) -> String? {
    guard let order = try? ServerOrder(bytes: bytes) else { return nil }
    if order.bytes != bytes { return "an order that is other bytes again" }
    guard case .restore(let copy) = order.move else { return nil }
    return copy.contains("/") || copy.hasPrefix("-") || copy.contains(" ") ? "a name that is a path or an option" : nil
}
