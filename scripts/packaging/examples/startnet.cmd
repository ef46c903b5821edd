@echo off
rem Windows PE runs this when it has started: it takes an address, does the job by \jobs\run.cmd and
rem reboots, whatever happened. The agent gives run.cmd the job in PREBOOT_... and WORK_... variables
rem and reports done if it ends with status 0, else failed.
wpeinit
wpeutil WaitForNetwork
prebootwork run X:\jobs\run.cmd
if errorlevel 1 echo prebootwork: exit status %errorlevel%
ping -n 6 127.0.0.1 >nul
wpeutil reboot
