//! The types that attachments are told to have: one MIME type and one short name per kind.
//!
//! Registered types where there is one that people use, else what `file --mime-type` calls it.

/// What a stream of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    mime: &'static str,
    name: &'static str,
}

impl Kind {
    /// The MIME type, as `attachment_type_checks` look it up.
    #[must_use]
    pub fn mime_type(self) -> &'static str {
        self.mime
    }

    /// One short word for it, in most cases the usual extension.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        self.name
    }

    /// A type that another table of magic bytes knows.
    pub(super) fn other(mime: &'static str, name: &'static str) -> Self {
        Self { mime, name }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $mime:literal, $name:literal;)+) => {
        impl Kind {
            $($(#[$doc])+ pub const $kind: Self = Self { mime: $mime, name: $name };)+

            /// All kinds that are told apart here. What else the crate `infer` knows (images, sound,
            /// fonts) is named as it names it.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];
        }
    };
}

kinds! {
    // programs
    /// A program of Windows or DOS, or a library: `MZ`.
    EXE = "application/x-dosexec", "exe";
    /// A program, library or object of Unix systems.
    ELF = "application/x-executable", "elf";
    /// A program of macOS, also for several processors.
    MACH_O = "application/x-mach-binary", "macho";
    /// A compiled Java class.
    JAVA_CLASS = "application/java-vm", "class";
    /// A program of Android.
    DEX = "application/vnd.android.dex", "dex";
    /// WebAssembly.
    WASM = "application/wasm", "wasm";
    /// A Flash film.
    SWF = "application/x-shockwave-flash", "swf";
    /// A text that names its interpreter: `#!`.
    SCRIPT = "text/x-shellscript", "script";
    /// A batch file, known by `@echo off`.
    BATCH = "text/x-msdos-batch", "bat";
    /// A compiled AppleScript.
    APPLESCRIPT = "application/x-applescript", "scpt";
    // what Windows opens and obeys
    /// A shortcut of Windows.
    LNK = "application/x-ms-shortcut", "lnk";
    /// A shortcut to a URL.
    URL = "application/x-mswinurl", "url";
    /// Entries for the registry of Windows.
    REG = "text/x-ms-regedit", "reg";
    /// A hive of the registry.
    HIVE = "application/x-ms-registry-hive", "hive";
    /// Compiled HTML help.
    CHM = "application/vnd.ms-htmlhelp", "chm";
    /// An HTML application.
    HTA = "application/hta", "hta";
    /// An installer or a patch of Windows Installer.
    MSI = "application/x-msi", "msi";
    // documents
    /// PDF.
    PDF = "application/pdf", "pdf";
    /// Beside `application/pdf`: has JavaScript.
    PDF_JAVASCRIPT = "application/x-pdf-javascript", "pdf-javascript";
    /// Beside `application/pdf`: starts a program.
    PDF_LAUNCH = "application/x-pdf-launch", "pdf-launch";
    /// Beside `application/pdf`: has files attached.
    PDF_EMBEDDED = "application/x-pdf-embedded-file", "pdf-embedded";
    /// RTF.
    RTF = "application/rtf", "rtf";
    /// HTML.
    HTML = "text/html", "html";
    /// XML that is nothing else here.
    XML = "text/xml", "xml";
    /// A drawing that may hold scripts.
    SVG = "image/svg+xml", "svg";
    /// PostScript.
    POSTSCRIPT = "application/postscript", "ps";
    /// OneNote.
    ONENOTE = "application/onenote", "one";
    /// A symbolic link table, which Excel opens.
    SYLK = "application/x-sylk", "slk";
    /// A database of Access.
    ACCESS = "application/x-msaccess", "mdb";
    /// `winmail.dat`.
    TNEF = "application/vnd.ms-tnef", "tnef";
    /// A mail or a web page as one file.
    MAIL = "message/rfc822", "eml";
    /// ActiveMime: macros beside a document in HTML or XML.
    ACTIVE_MIME = "application/x-mso", "mso";
    /// A certificate or key in letters.
    PEM = "application/x-pem-file", "pem";
    // OLE2 compound files
    /// A compound file that is nothing else here.
    OLE = "application/x-ole-storage", "ole";
    /// Word up to 2003.
    DOC = "application/msword", "doc";
    /// Excel up to 2003.
    XLS = "application/vnd.ms-excel", "xls";
    /// PowerPoint up to 2003.
    PPT = "application/vnd.ms-powerpoint", "ppt";
    /// Visio up to 2010.
    VSD = "application/vnd.visio", "vsd";
    /// A mail of Outlook.
    MSG = "application/vnd.ms-outlook", "msg";
    /// Beside the type of the document: VBA macros.
    VBA = "application/vnd.ms-office.vbaProject", "vba";
    /// Something that takes a password: a document, or a member of an archive.
    ENCRYPTED = "application/x-encrypted", "encrypted";
    // zip and what is made of it
    /// A zip archive that is nothing else here.
    ZIP = "application/zip", "zip";
    /// Word.
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx";
    /// Excel.
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx";
    /// PowerPoint.
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx";
    /// Word with macros.
    DOCM = "application/vnd.ms-word.document.macroEnabled.12", "docm";
    /// Excel with macros.
    XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12", "xlsm";
    /// Excel, binary.
    XLSB = "application/vnd.ms-excel.sheet.binary.macroEnabled.12", "xlsb";
    /// PowerPoint with macros.
    PPTM = "application/vnd.ms-powerpoint.presentation.macroEnabled.12", "pptm";
    /// OpenDocument of any sort.
    ODF = "application/vnd.oasis.opendocument", "odf";
    /// A book.
    EPUB = "application/epub+zip", "epub";
    /// A Java archive.
    JAR = "application/java-archive", "jar";
    /// An Android package.
    APK = "application/vnd.android.package-archive", "apk";
    /// A package of Windows applications (appx, msix).
    APPX = "application/appx", "appx";
    /// The headers of the members and the directory tell different stories.
    AMBIGUOUS = "application/x-ambiguous-archive", "ambiguous";
    // other archives and packed files
    /// tar.
    TAR = "application/x-tar", "tar";
    /// gzip.
    GZIP = "application/gzip", "gz";
    /// bzip2.
    BZIP2 = "application/x-bzip2", "bz2";
    /// xz.
    XZ = "application/x-xz", "xz";
    /// lzip.
    LZIP = "application/x-lzip", "lz";
    /// zstd.
    ZSTD = "application/zstd", "zst";
    /// lz4.
    LZ4 = "application/x-lz4", "lz4";
    /// compress.
    COMPRESS = "application/x-compress", "z";
    /// 7-Zip.
    SEVEN_ZIP = "application/x-7z-compressed", "7z";
    /// RAR.
    RAR = "application/vnd.rar", "rar";
    /// ACE.
    ACE = "application/x-ace-compressed", "ace";
    /// ARJ.
    ARJ = "application/x-arj", "arj";
    /// LHA, LZH.
    LZH = "application/x-lzh-compressed", "lzh";
    /// Cabinet.
    CAB = "application/vnd.ms-cab-compressed", "cab";
    /// XAR, as packages of macOS are.
    XAR = "application/x-xar", "xar";
    /// ar, also packages of Debian.
    AR = "application/x-archive", "ar";
    /// RPM.
    RPM = "application/x-rpm", "rpm";
    /// cpio.
    CPIO = "application/x-cpio", "cpio";
    // disks
    /// An image of a CD or DVD (ISO 9660, UDF).
    ISO = "application/x-iso9660-image", "iso";
    /// A virtual disk of Windows, which a double click mounts.
    VHD = "application/x-vhd", "vhd";
    /// The newer one.
    VHDX = "application/x-vhdx", "vhdx";
    /// A virtual disk of VMware.
    VMDK = "application/x-vmdk", "vmdk";
    /// A disk image of macOS.
    DMG = "application/x-apple-diskimage", "dmg";
    /// A Windows image.
    WIM = "application/x-ms-wim", "wim";
    // the rest
    /// Text that is nothing else here.
    TEXT = "text/plain", "txt";
    /// Bytes of no known kind.
    BINARY = "application/octet-stream", "bin";
}
