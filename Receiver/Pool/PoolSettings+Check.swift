// What this machine has to be able to do before the pool offers it: a stream's start is too late to say so.
package import Configuration
import Glibc
import Posix

extension PoolSettings {
    /// Whether receivers can run here as the configuration says.
    ///
    /// - Parameter source: the configuration's file.
    /// - Throws: everything that is wrong, with what to do.
    package func check(source: String) throws(ConfigurationFaults) {
        let faults = [receiverFault(), runtimeFault()].compactMap(\.self) + bind.compactMap(bindFault)
        guard faults.isEmpty else { throw ConfigurationFaults(source: source, faults: faults) }
    }

    private func receiverFault() -> ConfigurationFault? {
        var status = stat()
        let reason: String
        if stat(receiver, &status) != 0 {
            reason = "\(SystemError("stat"))"
        } else if status.st_mode & S_IFMT != S_IFREG {
            reason = "not a file"
        } else if access(receiver, X_OK) != 0 {
            reason = "\(SystemError("access"))"
        } else {
            return nil
        }
        return fault("host.receiver", receiver, "the program strata-receiver, installed and executable by this user: \(reason)")
    }

    private func bindFault(_ text: String) -> ConfigurationFault? {
        // The configuration has checked that it is an address.
        guard let address = SocketAddress(text, port: 0) else { return nil }
        do {
            _ = try UDPSocket(binding: address)
            return nil
        } catch {
            return fault("host.bind", text, "addresses that this machine has (ip address shows them), or 0.0.0.0 and :: for all: \(error)")
        }
    }

    private func runtimeFault() -> ConfigurationFault? {
        // As `LeaseFiles` and `UnixSocket` name them: a lease's id has 26 characters.
        let longest = UnixSocket.longestPath - (leaseFolder.utf8.count - runtimeFolder.utf8.count) - "/.sock".utf8.count - 26
        let most = longest - UnixSocket.earlySuffix.utf8.count
        guard runtimeFolder.utf8.count <= most else {
            return fault(
                "folders.runtime", runtimeFolder,
                "a path of at most \(most) bytes, for the Unix sockets in it: it has \(runtimeFolder.utf8.count)")
        }
        do {
            for folder in [runtimeFolder, leaseFolder] where mkdir(folder, 0o700) != 0 && errno != EEXIST {
                throw SystemError("mkdir", on: folder)
            }
            try UnixSocket.secure(leaseFolder)
            return nil
        } catch {
            return fault("folders.runtime", runtimeFolder, "a folder in which this user alone has pool/ (0700): \(error)")
        }
    }

    private func fault(_ key: String, _ value: String, _ expected: String) -> ConfigurationFault {
        ConfigurationFault(key: key, value: "'\(value)'", expected: expected, place: nil)
    }
}
