/// What time it is, for keys and releases that end. Unix seconds.
///
/// A board without a battery boots in 1970. `floor` has passed for certain (the program was built, a state was saved:
/// `DeviceIdentity.timeFloor`): where the clock shows less, it is that time, so that what ended before the floor is never taken, and a
/// board that has no time yet is not kept from an update. What ended between the floor and now is taken then: the sequence, not the clock,
/// keeps old releases out.
package struct ReleaseTime: Hashable, Sendable {
    package let seconds: Int64

    package init(clock: Int64, floor: Int64) { seconds = max(clock, floor) }
}

/// A manifest that a trusted key has signed.
package struct TrustedRelease: Hashable, Sendable {
    package let manifest: ReleaseManifest
    /// The public key whose signature was right.
    package let signer: [UInt8]
}

/// The keys that a machine trusts, as they were replaced one list after the other.
package struct ReleaseTrust: Hashable, Sendable {
    package private(set) var keys: KeyList

    /// - Parameter shipped: signed by one of its own root keys; trusted for the way it came, with the installation.
    package init(shipped: SignedText) throws(ReleaseFault) {
        let keys = try KeyList(bytes: shipped.text)
        guard keys.roots.contains(where: shipped.isSigned(by:)) else { throw .notSigned }
        self.keys = keys
    }

    /// Takes the next list, if it is that: its number is the one after ours, a root key of ours has signed it and, so that a
    /// key without its holder locks nobody out, a root key of its own.
    ///
    /// That keys have ended does not matter here: a board that lay in a cupboard for years finds its way along all lists.
    /// - Returns: false for the list that is there already, and for older ones of the same root; they change nothing. One that roots of
    ///   before have signed is `.notSigned`.
    package mutating func take(_ document: SignedText) throws(ReleaseFault) -> Bool {
        if document.text == keys.bytes { return false }
        guard keys.roots.contains(where: document.isSigned(by:)) else { throw .notSigned }
        let next = try KeyList(bytes: document.text)
        guard next.number > keys.number else { return false }
        guard next.number == keys.number + 1 else { throw .wrongNumber(expected: keys.number + 1, found: next.number) }
        guard next.roots.contains(where: document.isSigned(by:)) else { throw .notSigned }
        keys = next
        return true
    }

    /// The release of a text, which is read once a release key's signature is found right.
    ///
    /// - Throws: `.notSigned`, `.keyEnded` where none but ended keys have signed, `.malformed`.
    package func release(in document: SignedText, at time: ReleaseTime) throws(ReleaseFault) -> TrustedRelease {
        var fault = ReleaseFault.notSigned
        for key in keys.releases where document.isSigned(by: key.key) {
            if time.seconds < key.end { return TrustedRelease(manifest: try ReleaseManifest(bytes: document.text), signer: key.key) }
            fault = .keyEnded(at: key.end)
        }
        throw fault
    }
}
