import Foundation

/// A sound card for a program that is started `inside` it, where the machine has none: the kernel's text lists it, and ALSA's `file`
/// device is what its name opens. What it hears is a tone, written in real time into the pipe that the device reads.
package struct SoundCard: Sendable {
    package static let id = "alsa:Field,0"
    package static let name = "Field mixer: USB Audio"
    package static let toneHz = 440

    /// What comes before the program's command.
    package let inside: [String]
    private let pipe: String

    /// - Parameter inside: what comes before this in turn, as a namespace's `command([])`.
    package init(on stage: Stage, inside: [String] = []) throws {
        let listed = try stage.folder.makeFolder("card")
        let kernel = try stage.folder.makeFolder("card.proc")
        pipe = stage.folder["card.pipe"]
        guard mkfifo(pipe, 0o600) == 0 else { throw SupportFailure("no pipe at \(pipe)") }
        // As Linux writes them.
        let card = " 1 [Field          ]: USB-Audio - Field mixer\n                      Field mixer at usb-0000:00:14.0-1, high speed\n"
        try stage.folder.write(card, to: "card/cards")
        try stage.folder.write("01-00: USB Audio : USB Audio : capture 1\n", to: "card/pcm")
        // The samples in the pipe have the format that Strata asks a card for: S16, 48 kHz, stereo. `null` alone gives them without end.
        let configuration = try stage.folder.write(
            """
            pcm.null { type null }
            pcm.hw {
                @args [ CARD DEV ]
                @args.CARD { type string }
                @args.DEV { type integer }
                type file
                slave.pcm "null"
                file "/dev/null"
                infile "\(pipe)"
                format "raw"
            }
            """, to: "card.conf")
        // /proc/asound cannot be made: all else of /proc is shown through links, beside a folder of that name.
        let script = """
            mount --rbind /proc "$1" && mount -t tmpfs -o mode=755 none /proc && mkdir /proc/asound && cp "$2"/* /proc/asound/ || exit 1
            for entry in "$1"/*; do
                case ${entry##*/} in [0-9]* | asound) ;; *) ln -s "$entry" /proc/ ;; esac
            done
            # libdispatch ends a program whose threads it does not find by their numbers: those of the next 10,000 processes and threads.
            ln -s $(seq -f "$1/%.0f" $$ $(($$ + 10000))) /proc/
            export ALSA_CONFIG_PATH="$3"
            shift 3
            exec "$@"
            """
        self.inside = inside + ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", kernel, listed, configuration]
    }

    /// Has the tone begin as soon as the device is open. It comes in pieces of 20 ms, as Strata reads them: where a read finds less than
    /// it asks for, the `file` device (1.2.8) counts it as whole, which no card does.
    package func play(on stage: Stage) throws {
        let tone = "sine=frequency=\(Self.toneHz):sample_rate=48000:samples_per_frame=960,volume=12dB"
        let output = ["-ac", "2", "-flush_packets", "1", "-f", "s16le", pipe]
        try stage.start("ffmpeg", ["-v", "error", "-y", "-re", "-f", "lavfi", "-i", tone] + output)
    }
}
