import BondWire
package import Configuration
import Crypto
package import Units

/// The stream key of a program that runs without the platform: one line of a file that only its owner may read.
package enum StreamKeyFile {
    /// Notes what is wrong with the file as a fault of `key`.
    package static func read(_ section: ConfigurationSection, _ key: String, _ reader: ConfigurationReader, dotted: String) -> Secret {
        let path = section.string(key, "the path of a file of mode 0600 with 16 to 120 characters of base64url")
        guard !path.isEmpty else { return Secret("") }
        do throws(CryptoError) {
            guard let text = try KeyFile.read(path) else {
                reader.note(dotted, path, "a file that exists")
                return Secret("")
            }
            let key = String(text.prefix { !$0.isNewline })
            if !StreamKeyText.isValid(key) { reader.note(dotted, path, "a file whose first line has 16 to 120 characters of base64url") }
            return Secret(key)
        } catch {
            reader.note(dotted, path, "\(error)")
            return Secret("")
        }
    }
}
